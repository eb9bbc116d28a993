package importfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"hash"
	"io"

	"golang.org/x/text/transform"

	"itemcast/internal/problem"
)

const (
	// MaxBytes is the length of the longest entry.
	MaxBytes = 1 << 20

	headBytes  = 4 << 10  // with which a format is recognized
	tableBytes = 32 << 10 // in which a table's header must end
)

// Options say how to read an import.
type Options struct {
	Gzip         bool            // decompress gzip, instead of refusing it
	Columns      map[string]Cell // the columns of tables that are fields; all others are metadata
	TagSeparator string          // between the values of a cell of kind List; "" is a comma
}

// Entry is a JSON value of the import, or a row as one.
type Entry struct {
	Line     int64             // where it begins, from 1
	Position int64             // its line; in an array its number, from 1
	Text     []byte            // nil if Err is set
	Err      *problem.Error    // why the entry cannot be read
	Digest   [sha256.Size]byte // of the input from its start to the end of this entry
}

// Reader reads entries.
type Reader struct {
	format interface{ next() (Entry, error) }
	table  *table
	utf16  bool // the input is UTF-16
}

// Open recognizes the format. Errors: UNSUPPORTED_MEDIA_TYPE, which names any other format and how to convert it;
// BAD_REQUEST if the input cannot be read.
func Open(input io.Reader, options Options) (*Reader, error) {
	in := bufio.NewReaderSize(input, 64<<10)
	head, err := peekHead(in)
	if err != nil {
		return nil, err
	}
	if isGzip(head) && options.Gzip {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, errCut
		}
		in = bufio.NewReaderSize(unzipped, 64<<10)
		if head, err = peekHead(in); err != nil {
			return nil, err
		}
	}
	r := &Reader{}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3)
	case isUTF16(head):
		r.utf16 = true
		decoder := utf16Decoder{order: utf16Order(head)}
		_, _ = in.Discard(2)
		in = bufio.NewReaderSize(transform.NewReader(in, decoder), 64<<10)
	}
	if head, err = peekHead(in); err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte(`{\rtf`)):
		return nil, refusal(head)
	case isLines(head):
		r.format = &lines{in: in, hash: sha256.New()}
		return r, nil
	case firstByte(head) == '[':
		r.format = newArray(in)
		return r, nil
	case firstByte(head) == '{':
		return nil, errObject
	}
	if r.table, err = openTable(in, &options, r.utf16); err != nil {
		return nil, err
	}
	r.format = r.table
	return r, nil
}

// Next returns the next entry. Errors: io.EOF after the last; BAD_REQUEST if the rest cannot be read.
func (r *Reader) Next() (Entry, error) {
	entry, err := r.format.next()
	if r.utf16 && hasHalf(entry.Text) {
		entry.Text, entry.Err = nil, errHalf("The "+r.Unit())
	}
	return entry, err
}

// IsTable reports whether the entries are rows of a table, whose metadata is text without a kind.
func (r *Reader) IsTable() bool { return r.table != nil }

// Has reports whether a table has a column for a field.
func (r *Reader) Has(field string) bool { return r.table != nil && r.table.has(field) }

// Unit is what an entry is called: a line, an element or a row.
func (r *Reader) Unit() string {
	switch r.format.(type) {
	case *array:
		return "element"
	case *table:
		return "row"
	}
	return "line"
}

// peekHead returns the start of the input. It waits for more than a line only if a line does not tell the format: a
// slow pipe sends no more for now.
func peekHead(in *bufio.Reader) ([]byte, error) {
	if _, err := in.Peek(1); err != nil {
		return nil, readError(err)
	}
	if head, _ := in.Peek(in.Buffered()); startsWithLine(head) {
		return head, nil
	}
	head, err := in.Peek(headBytes)
	return head, readError(err)
}

var errCut = problem.New(problem.BadRequest, "The lines could not be read to the end; send them again.")

// readError returns what a client sees of an error of reading; nil at the end of the input.
func readError(err error) error {
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return errCut
}

func tooLong(what string) *problem.Error {
	return problem.New(problem.TooLarge, "The %s is longer than 1 MiB. Shorten the item.", what)
}

// sum returns the digest of what a hash has seen so far.
func sum(h hash.Hash) (digest [sha256.Size]byte) {
	h.Sum(digest[:0])
	return digest
}
