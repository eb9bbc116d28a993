package importfile

import (
	"bufio"
	"crypto/sha256"
	"hash"
	"io"

	"itemcast/internal/problem"
)

// array reads the elements of a JSON array. It splits the text at the commas between elements and does not check them,
// so that an element with a fault does not end the import.
type array struct {
	in     *bufio.Reader
	line   int64 // of the next byte
	number int64 // of the last element
	hash   hash.Hash
	open   bool // the opening bracket has been read
	closed bool
}

func newArray(in *bufio.Reader) *array { return &array{in: in, line: 1, hash: sha256.New()} }

func (a *array) next() (Entry, error) {
	if !a.open {
		a.open = true
		if _, err := a.skipSpace(); err != nil { // the bracket
			return Entry{}, err
		}
	}
	if a.closed {
		return Entry{}, a.end()
	}
	first, err := a.skipSpace()
	switch {
	case err != nil:
		return Entry{}, a.cut(err)
	case first == ']': // an empty array, or a comma after the last element
		a.closed = true
		return Entry{}, a.end()
	}
	entry := Entry{Line: a.line}
	text, err := a.element(first)
	if err != nil {
		return Entry{}, a.cut(err)
	}
	a.number++
	_, _ = a.hash.Write(append(text, '\n'))
	entry.Position, entry.Text, entry.Digest = a.number, text, sum(a.hash)
	if len(text) > MaxBytes {
		entry.Text, entry.Err = nil, tooLong("element")
	}
	return entry, nil
}

// element reads to the comma or the bracket after an element whose first byte has been read. It cuts a long element
// after MaxBytes.
func (a *array) element(c byte) (text []byte, err error) {
	level, quoted, escaped := 0, false, false
	for {
		switch {
		case quoted:
			quoted, escaped = escaped || c != '"', c == '\\' && !escaped
		case c == '"':
			quoted = true
		case level == 0 && (c == ',' || c == ']'):
			a.closed = c == ']'
			return text, nil
		case c == '{' || c == '[':
			level++
		case (c == '}' || c == ']') && level > 0:
			level--
		}
		if len(text) <= MaxBytes {
			text = append(text, c)
		}
		if c, err = a.read(); err != nil {
			return nil, err
		}
	}
}

func (a *array) read() (byte, error) {
	c, err := a.in.ReadByte()
	if c == '\n' {
		a.line++
	}
	return c, err
}

func (a *array) skipSpace() (byte, error) {
	for {
		c, err := a.read()
		if err != nil || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, err
		}
	}
}

// cut describes an error before the closing bracket.
func (a *array) cut(err error) error {
	if readError(err) != nil {
		return errCut
	}
	return problem.New(problem.BadRequest, "The JSON array has no end: the text ends in or after element %d, "+
		"on line %d. Send the whole array.", a.number+1, a.line)
}

// end returns io.EOF if nothing follows the array.
func (a *array) end() error {
	switch _, err := a.skipSpace(); {
	case err == nil:
		return problem.New(problem.BadRequest, "Text follows the end of the JSON array, on line %d. Remove it, or "+
			"put each object on a line of its own, without the array.", a.line)
	case readError(err) != nil:
		return errCut
	}
	return io.EOF
}
