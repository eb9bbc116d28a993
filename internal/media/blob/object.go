package blob

import (
	"context"
	"errors"
	"fmt"
	"io"

	gocloud "gocloud.dev/blob"
)

// object reads a blob of S3. It asks for bytes when they are needed, and never for an empty range, which S3 refuses.
// The size comes from the caller.
type object struct {
	ctx    context.Context
	bucket *gocloud.Bucket
	path   string
	size   int64
	offset int64
	end    int64           // of the range that reader has
	reader *gocloud.Reader // at offset; nil: none
}

var _ Preparer = (*object)(nil)

// Seek is free: the next Read asks for the bytes.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.offset
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek to %d", offset)
	}
	if offset != o.offset {
		o.drop()
		o.offset = offset
	}
	return offset, nil
}

// Prepare asks for the next n bytes.
func (o *object) Prepare(n int64) error {
	n = min(n, o.size-o.offset)
	if n <= 0 || o.reader != nil && o.offset+n <= o.end {
		return nil
	}
	o.drop()
	reader, err := o.bucket.NewRangeReader(o.ctx, o.path, o.offset, n, nil)
	if err != nil {
		return explain(err)
	}
	o.reader, o.end = reader, o.offset+n
	return nil
}

func (o *object) Read(p []byte) (int, error) {
	if o.offset >= o.size {
		return 0, io.EOF
	}
	if o.reader == nil || o.offset >= o.end {
		if err := o.Prepare(o.size - o.offset); err != nil {
			return 0, err
		}
	}
	n, err := o.reader.Read(p)
	o.offset += int64(n)
	if errors.Is(err, io.EOF) {
		if o.offset < o.end {
			return n, io.ErrUnexpectedEOF
		}
		err = nil
	}
	return n, err
}

// Close ends the download.
func (o *object) Close() error {
	o.drop()
	return nil
}

func (o *object) drop() {
	if o.reader != nil {
		_ = o.reader.Close()
		o.reader = nil
	}
}
