package importfile

import (
	"bufio"
	"io"
)

// carriageReturns turns the line ends of old Macintosh programs, which Excel still offers, into newlines.
type carriageReturns struct{ io.Reader }

func (c carriageReturns) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	for i := range p[:n] {
		if p[i] == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// loneReturns turns carriage returns outside of quotes, which no newline follows, into newlines. A table of several
// files may have them beside other line ends; csv.Reader would make one row of two.
type loneReturns struct {
	in     *bufio.Reader
	quoted bool
}

func (l *loneReturns) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for i, c := range p[:n] {
		switch {
		case c == '"':
			l.quoted = !l.quoted
		case c == '\r' && !l.quoted && !l.newlineFollows(p[i+1:n]):
			p[i] = '\n'
		}
	}
	return n, err
}

func (l *loneReturns) newlineFollows(rest []byte) bool {
	if len(rest) == 0 {
		rest, _ = l.in.Peek(1)
	}
	return len(rest) > 0 && rest[0] == '\n'
}
