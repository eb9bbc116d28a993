package importfile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
)

// table reads the rows of CSV or TSV (RFC 4180) with a header. Excel writes the separator of the user's region, and may
// name it in a first line such as "sep=;".
type table struct {
	csv     *csv.Reader
	bound   *bounded
	columns []column
	cells   *Options
	utf16   bool  // the input is UTF-16
	before  int64 // lines before the text that csv reads
	start   int64 // lines before the header
	last    int64 // the line of the last row
	end     int64 // the line on which it ends
	hash    hash.Hash
	failed  error
}

// openTable reads the header. Error: UNSUPPORTED_MEDIA_TYPE if the input is no table with a column "name".
func openTable(in *bufio.Reader, options *Options, utf16 bool) (*table, error) {
	head, err := in.Peek(tableBytes)
	if readError(err) != nil {
		return nil, errCut
	}
	if firstBreak := bytes.IndexAny(head, "\r\n"); firstBreak >= 0 && bytes.IndexByte(head, '\n') < 0 {
		in = bufio.NewReaderSize(carriageReturns{in}, 64<<10)
	} else {
		in = bufio.NewReaderSize(&loneReturns{in: in}, 64<<10)
	}
	head, _ = in.Peek(tableBytes)
	given, skipped := namedSeparator(head)
	header, separator := findHeader(head[skipped:], given, options, utf16)
	switch {
	case header == nil && utf16 && hasHalf(head):
		return nil, errHalf("The file")
	case header == nil:
		return nil, refusal(head)
	}
	if fault := headerFault(header); fault != nil {
		return nil, fault
	}
	_, _ = in.Discard(skipped)
	bound := &bounded{in: in, left: MaxBytes}
	t := &table{csv: csv.NewReader(bound), bound: bound, columns: header, cells: options, utf16: utf16,
		hash: sha256.New(), before: int64(bytes.Count(head[:skipped], []byte("\n")))}
	// LazyQuotes stays off: with it, a quote that is never closed takes in the rest of the table without an error.
	t.csv.Comma, t.csv.FieldsPerRecord, t.csv.ReuseRecord = separator, -1, true
	t.csv.TrimLeadingSpace = separator != '\t' // which is white space itself
	if _, err := t.csv.Read(); err != nil {
		return nil, errCut
	}
	t.start, t.last, t.end = t.before, t.before+1, t.before+1
	for _, c := range header {
		fmt.Fprintf(t.hash, "%q", c.header)
	}
	return t, nil
}

func (t *table) has(field string) bool {
	return slices.ContainsFunc(t.columns, func(c column) bool { return c.field == field })
}

func (t *table) next() (Entry, error) {
	for {
		if t.failed != nil {
			return Entry{}, t.failed
		}
		t.bound.left = MaxBytes + tableBytes
		t.bound.forget(t.csv.InputOffset())
		record, err := t.csv.Read()
		if t.bound.exceeded {
			if entry := t.skipLong(record, err); entry != nil {
				return *entry, nil
			}
			continue
		}
		if fault, ok := errors.AsType[*csv.ParseError](err); ok {
			t.last, t.end = t.before+int64(fault.Line), t.before+int64(fault.Line)
			fmt.Fprintf(t.hash, "fault %d\n", t.csv.InputOffset())
			at := t.before + int64(fault.StartLine)
			return Entry{Line: at, Position: t.last, Err: rowFault(fault, at, t.last), Digest: sum(t.hash)}, nil
		}
		if err != nil {
			t.failed = t.stopped(err)
			continue
		}
		line, _ := t.csv.FieldPos(0)
		t.last = t.before + int64(line)
		line, _ = t.csv.FieldPos(len(record) - 1)
		t.end = t.before + int64(line+strings.Count(record[len(record)-1], "\n"))
		for _, cell := range record {
			fmt.Fprintf(t.hash, "%q", cell)
		}
		_, _ = t.hash.Write([]byte("\n"))
		if isEmpty(record) {
			continue
		}
		entry := Entry{Line: t.last, Position: t.last, Digest: sum(t.hash)}
		if entry.Err = t.cellFault(record); entry.Err == nil {
			entry.Text = t.object(record)
		}
		if len(entry.Text) > MaxBytes {
			entry.Text, entry.Err = nil, tooLong("row")
		}
		return entry, nil
	}
}

// skipLong reads to the end of a row that is longer than the bound, which it rejects. If its quotes are never closed,
// the rest of the table cannot be read, and the entry is nil.
func (t *table) skipLong(record []string, err error) *Entry {
	line := int(t.end-t.before) + 1 // if csv has not got to the end of the first cell
	if fault, ok := errors.AsType[*csv.ParseError](err); ok {
		line = fault.StartLine
	} else if len(record) > 0 {
		line, _ = t.csv.FieldPos(0)
	}
	t.last = t.before + int64(line)
	offset := t.csv.InputOffset()
	breaks, err := t.bound.skipRow()
	switch {
	case errors.Is(err, errUnclosed):
		t.failed = problem.New(problem.TooLarge, "The row on line %d is longer than 1 MiB. Close its quotes, or shorten it.",
			t.last)
		return nil
	case err != nil:
		t.failed = errCut
		return nil
	}
	t.before += breaks - 1 // csv has counted the line that was cut
	t.end = t.start + t.bound.breaks
	fmt.Fprintf(t.hash, "long %d\n", offset)
	return &Entry{Line: t.last, Position: t.last, Err: tooLong("row"), Digest: sum(t.hash)}
}

// stopped describes an error after which no row can be read.
func (t *table) stopped(err error) error {
	if readError(err) != nil {
		return errCut
	}
	return io.EOF
}

// rowFault describes quotes that do not match.
func rowFault(fault *csv.ParseError, from, to int64) *problem.Error {
	switch {
	case errors.Is(fault.Err, csv.ErrBareQuote):
		return problem.New(problem.BadRequest, "A quote stands in a cell without quotes, at column %d of the line. Put the "+
			"cell in quotes, and write a quote in it twice.", fault.Column)
	case from != to:
		return problem.New(problem.BadRequest, "The quotes of the row on lines %d to %d do not match. Close the cell with "+
			"a quote, and write a quote in it twice.", from, to)
	default:
		return problem.New(problem.BadRequest, "The quotes do not match, at column %d of the line. Close the cell with a "+
			"quote, and write a quote in it twice.", fault.Column)
	}
}

// cellFault returns what prevents the row from being read; nil if nothing does.
func (t *table) cellFault(record []string) *problem.Error {
	for i, cell := range record {
		switch {
		case i >= len(t.columns) && plaintext.IsBlank(cell):
		case i >= len(t.columns):
			return problem.New(problem.BadRequest, "The row has more cells than the header, which has %d. Put cells that "+
				"hold the separator in quotes.", len(t.columns))
		case t.columns[i].target() == "" && !plaintext.IsBlank(cell):
			return problem.New(problem.BadRequest, "Column %d has a value but no name. Name it in the header, or delete it.",
				i+1)
		case t.utf16 && strings.IndexByte(cell, notText) >= 0:
			return errHalf(fmt.Sprintf("The cell %q", t.columns[i].header))
		case !utf8.ValidString(cell):
			return problem.New(problem.BadRequest, "The cell %q is not UTF-8 text. Save the table as \"CSV UTF-8\", or "+
				"convert it: iconv -f WINDOWS-1252 -t UTF-8.", t.columns[i].header)
		}
	}
	return nil
}

func isEmpty(record []string) bool {
	return !slices.ContainsFunc(record, func(c string) bool { return !plaintext.IsBlank(c) })
}
