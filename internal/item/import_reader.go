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

// inputLine is a line that is not empty.
type inputLine struct {
	number int64  // from 1
	text   []byte // nil if the line is too long
}

// lineReader reads lines, counts them, and computes their digest.
type lineReader struct {
	in     *bufio.Reader
	number int64     // of the last line that was read
	hash   hash.Hash // of all lines that were read
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, 64<<10), hash: sha256.New()}
}

// digest returns a digest of the lines read so far.
func (r *lineReader) digest() []byte { return r.hash.Sum(nil) }

// skip reads up to the end of a line, or to the end if there are fewer lines.
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

// batch returns up to importBatch of the next lines that are not empty; none at the end.
func (r *lineReader) batch() (batch []inputLine, err error) {
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
		batch = append(batch, inputLine{number: r.number, text: text})
	}
	return batch, nil
}

// next returns the next line without its line break. A line that is too long is cut after maxLineBytes. Errors: io.EOF
// after the last line; BAD_REQUEST.
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
		text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // the byte order mark of Windows editors
	}
	_, _ = r.hash.Write(append(text, '\n')) // a last line without a line break may get one later
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
