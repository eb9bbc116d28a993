package importfile

import (
	"bufio"
	"bytes"
	"errors"
)

var (
	errUnbounded = errors.New("longer than the bound")
	errUnclosed  = errors.New("a quote is not closed")
)

// bounded fails after a number of bytes, because csv.Reader holds a row in memory: a quote that is never closed would
// make one row of the rest of the input. It knows where quotes stand, to find the end of a row that it has cut.
type bounded struct {
	in       *bufio.Reader
	left     int
	exceeded bool    // by the row that is being read
	offset   int64   // of the next byte, as csv.Reader counts
	breaks   int64   // line breaks, also those that were skipped
	quotes   []int64 // offsets of the quotes in the row that is being read, and in what follows it
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.exceeded = true
		return 0, errUnbounded
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	for at := 0; ; at++ {
		next := bytes.IndexByte(p[at:n], '"')
		if next < 0 {
			break
		}
		at += next
		b.quotes = append(b.quotes, b.offset+int64(at))
	}
	b.left -= n
	b.breaks += int64(bytes.Count(p[:n], []byte("\n")))
	b.offset += int64(n)
	return n, err
}

// forget drops what it knows of the rows before an offset.
func (b *bounded) forget(offset int64) {
	kept := 0
	for kept < len(b.quotes) && b.quotes[kept] < offset {
		kept++
	}
	b.quotes = append(b.quotes[:0], b.quotes[kept:]...)
}

// skipRow reads to the end of the row that exceeded the bound, and returns the number of its line breaks. Error:
// errUnclosed if the input ends within quotes.
func (b *bounded) skipRow() (breaks int64, err error) {
	b.exceeded = false
	for quoted := len(b.quotes)%2 == 1; ; {
		c, err := b.in.ReadByte()
		switch {
		case err != nil && readError(err) != nil:
			return 0, err
		case err != nil && quoted:
			return 0, errUnclosed
		case err != nil:
			b.breaks++
			return breaks + 1, nil
		case c == '"':
			quoted = !quoted
		case c == '\n':
			b.breaks++
			if breaks++; !quoted {
				return breaks, nil
			}
		}
	}
}
