package item

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"

	"itemcast/internal/problem"
)

// line is a line that is not empty.
type line struct {
	number int64
	text   []byte // nil: too long
}

// lineReader reads lines, and knows how many it has read and which.
type lineReader struct {
	in     *bufio.Reader
	number int64     // of the last line that was read, counted from 1
	seen   hash.Hash // of all lines that were read
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, 64<<10), seen: sha256.New()}
}

// digest tells the lines read so far from any others.
func (r *lineReader) digest() []byte { return r.seen.Sum(nil) }

// skip reads on to the end of a line, or of all when there are fewer.
func (r *lineReader) skip(to int64) error {
	for r.number < to {
		_, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// batch returns the next lines that are not empty, at most importBatch; none at the end.
func (r *lineReader) batch() (batch []line, err error) {
	for len(batch) < importBatch {
		text, err := r.next()
		if errors.Is(err, io.EOF) {
			return batch, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case len(text) > maxLineBytes:
			text = nil
		case len(bytes.TrimSpace(text)) == 0:
			continue
		}
		batch = append(batch, line{number: r.number, text: text})
	}
	return batch, nil
}

// next returns the next line without its end; of one that is too long, only enough to tell. Errors: io.EOF after the last one; BAD_REQUEST.
func (r *lineReader) next() ([]byte, error) {
	text, err := r.read()
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, problem.New(problem.BadRequest, "The lines could not be read to the end; send them again.")
	case err != nil && len(text) == 0:
		return nil, io.EOF
	}
	r.number++
	if r.number == 1 {
		text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark, as Windows editors leave it
	}
	_, _ = r.seen.Write(append(text, '\n')) // so that lines may follow on one that had no end
	return text, nil
}

func (r *lineReader) read() ([]byte, error) {
	var text []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if len(text) <= maxLineBytes {
			text = append(text, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimRight(text, "\r\n"), err
	}
}
