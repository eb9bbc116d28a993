package item

import (
	"errors"
	"io"

	"itemcast/internal/importfile"
)

const (
	// Entries that are read ahead to decide the kinds of new fields, and their total length, which bounds the memory.
	maxAhead      = 1000
	maxAheadBytes = 16 << 20
)

// importReader reads the entries of an import in batches.
type importReader struct {
	*importfile.Reader
	last  importfile.Entry // of those that were returned
	began bool             // an entry was returned that defines no metadata field
	// Definitions of metadata fields come before the items, as in an export.
	defined bool
	survey  *survey // of all entries that were read; nil if the import creates no fields
	ahead   []importfile.Entry
	bytes   int   // of ahead
	failed  error // follows ahead
}

// fileOptions say how to read the import's entries.
func (o *ImportOptions) fileOptions() importfile.Options {
	return importfile.Options{Gzip: o.Gzip, Columns: importColumns, TagSeparator: o.TagSeparator}
}

// openImport recognizes the format. Error: UNSUPPORTED_MEDIA_TYPE.
func openImport(input io.Reader, options *ImportOptions) (*importReader, error) {
	in, err := importfile.Open(input, options.fileOptions())
	if err != nil {
		return nil, err
	}
	r := &importReader{Reader: in}
	if options.CreateFields {
		r.survey = newSurvey(in.IsTable())
	}
	return r, nil
}

// skip reads up to the entry at a position, or to the end if there are fewer.
func (r *importReader) skip(to int64) error {
	for r.last.Position < to {
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

// batch returns up to importBatch of the next entries; none at the end. An error follows the entries that it returns.
func (r *importReader) batch() (batch []importfile.Entry, err error) {
	for size := 0; len(batch) < importBatch && size < importBatchBytes; {
		entry, err := r.next()
		if errors.Is(err, io.EOF) {
			return batch, nil
		}
		if err != nil {
			return batch, err
		}
		batch = append(batch, entry)
		size += len(entry.Text)
	}
	return batch, nil
}

func (r *importReader) next() (importfile.Entry, error) {
	if len(r.ahead) == 0 {
		r.readAhead(1)
	}
	if len(r.ahead) == 0 {
		return importfile.Entry{}, r.failed
	}
	r.last = r.ahead[0]
	r.ahead = r.ahead[1:]
	r.bytes -= len(r.last.Text)
	if !r.began {
		r.began = !isDefinition(r.last.Text)
		r.defined = r.defined || !r.began
	}
	return r.last, nil
}

// readAhead reads until n entries follow the last one that was returned.
func (r *importReader) readAhead(n int) {
	for len(r.ahead) < n && r.bytes < maxAheadBytes && r.failed == nil {
		entry, err := r.Next()
		if err != nil {
			r.failed = err
			return
		}
		if r.survey != nil {
			r.survey.add(entry)
		}
		r.ahead = append(r.ahead, entry)
		r.bytes += len(entry.Text)
	}
}
