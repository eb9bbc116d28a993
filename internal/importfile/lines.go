package importfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"hash"
	"io"
)

// lines reads a JSON value a line (NDJSON, JSON lines). Lines of white space are no entries.
type lines struct {
	in     *bufio.Reader
	number int64
	hash   hash.Hash
}

func (l *lines) next() (Entry, error) {
	for {
		text, err := l.line()
		if err != nil {
			return Entry{}, err
		}
		entry := Entry{Line: l.number, Position: l.number, Text: text, Digest: sum(l.hash)}
		switch {
		case len(text) > MaxBytes:
			entry.Text, entry.Err = nil, tooLong("line")
		case len(bytes.TrimSpace(text)) == 0:
			continue
		}
		return entry, nil
	}
}

// line returns the next line without its line break. It cuts a line that is too long after MaxBytes.
func (l *lines) line() ([]byte, error) {
	text, err := readLine(l.in)
	switch {
	case readError(err) != nil:
		return nil, errCut
	case err != nil && len(text) == 0:
		return nil, io.EOF
	}
	l.number++
	_, _ = l.hash.Write(append(text, '\n')) // a last line without a line break may get one later
	return text, nil
}

func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(text) <= MaxBytes {
			text = append(text, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimRight(text, "\r\n"), err
	}
}

// isLines reports whether an input that starts with head has a JSON object a line. One of its first two lines may have
// a fault.
func isLines(head []byte) bool {
	first, rest := firstLine(head)
	switch {
	case len(first) == 0:
		return true
	case first[0] != '{':
		return first[0] != '[' && firstByte(rest) == '{'
	case rest == nil || !isIncomplete(first):
		return true
	}
	// Either the first line is cut off, or this is an object over several lines: then what follows continues it.
	var object json.RawMessage
	err := json.NewDecoder(bytes.NewReader(head)).Decode(&object)
	return err != nil && (len(head) < headBytes || !errors.Is(err, io.ErrUnexpectedEOF))
}

// startsWithLine reports whether the first line alone shows that isLines.
func startsWithLine(head []byte) bool {
	first, rest := firstLine(head)
	return rest != nil && len(first) > 0 && first[0] == '{' && json.Valid(first)
}

// firstLine returns the first line that is not empty, without white space around it, and the rest; nil if its line
// break is missing.
func firstLine(text []byte) (first, rest []byte) {
	first, rest, found := bytes.Cut(bytes.TrimLeft(text, " \t\r\n"), []byte("\n"))
	if !found {
		rest = nil
	}
	return bytes.TrimSpace(first), rest
}

// isIncomplete reports whether a text is the beginning of a JSON value.
func isIncomplete(text []byte) bool {
	var value json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(text)).Decode(&value), io.ErrUnexpectedEOF)
}

// firstByte returns the first byte of a text that is not white space; 0 if there is none.
func firstByte(text []byte) byte {
	if text = bytes.TrimLeft(text, " \t\r\n"); len(text) > 0 {
		return text[0]
	}
	return 0
}
