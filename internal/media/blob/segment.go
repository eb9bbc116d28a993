package blob

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	gocloud "gocloud.dev/blob"
)

// A segment is a key whose bytes come from a client that may go away at any moment. Other than a Write, it may have
// more bytes than its owner has counted. The owner's table says how many of them count.

// segments is what a folder and a bucket of S3 do differently with segments.
type segments interface {
	// grows is whether a segment can be extended.
	grows() bool
	// extend replaces what follows the first at bytes of a segment.
	extend(ctx context.Context, bucket *gocloud.Bucket, path string, at int64, source io.Reader) error
	// openSegment returns the first size bytes of a segment.
	openSegment(ctx context.Context, bucket *gocloud.Bucket, path string, size int64) (io.ReadCloser, error)
	// link makes the bytes of a segment those of another key, without a copy. linked is false if the store cannot.
	link(from, to string, size int64) (linked bool, err error)
}

// SegmentsGrow reports whether Extend takes segments that have bytes. If not, each segment takes one Extend.
func (b *Bucket) SegmentsGrow() bool { return b.grows() }

// s3Segment is how many bytes one Extend of S3 may get, which takes them in one request and leaves no parts behind.
const s3Segment = 15 << 20

// MaxSegment is how many bytes one Extend may get.
func (b *Bucket) MaxSegment() int64 {
	if b.grows() {
		return math.MaxInt64
	}
	return s3Segment
}

// Extend stores what source returns after the first at bytes of a segment, in place of what follows them. hash gets the
// same bytes, from another goroutine, until Extend returns. They are on the disk then, or accepted by S3. An empty
// source makes no segment. After an error, the first at bytes are as they were, and nobody knows what hash got.
func (b *Bucket) Extend(ctx context.Context, key string, at int64, source io.Reader, hash io.Writer) (int64, error) {
	buffered := bufio.NewReader(source)
	if _, err := buffered.Peek(1); errors.Is(err, io.EOF) {
		return 0, nil
	}
	measured := &meter{ctx: ctx, source: buffered, limit: b.MaxSegment(), hash: hash}
	defer measured.wait()
	err := b.extend(ctx, b.bucket, b.path(key), at, measured)
	if measured.err != nil {
		err = measured.err
	}
	if err != nil {
		return 0, err
	}
	return measured.size, nil
}

// OpenSegment returns the first size bytes of a segment. Error: ErrNotFound.
func (b *Bucket) OpenSegment(ctx context.Context, key string, size int64) (io.ReadCloser, error) {
	content, err := b.openSegment(ctx, b.bucket, b.path(key), size)
	return content, explain(err)
}

// Link makes the bytes of a segment, which has size of them and no more, those of another key, as Write would. linked
// is false if the store cannot do that without a copy. Nobody may extend the segment afterwards.
func (b *Bucket) Link(from, to string, size int64) (linked bool, err error) {
	return b.link(b.path(from), b.path(to), size)
}

func (f folder) grows() bool { return true }

func (f folder) file(path string) string { return filepath.Join(f.dir, filepath.FromSlash(path)) }

func (f folder) extend(_ context.Context, _ *gocloud.Bucket, path string, at int64, source io.Reader) error {
	name := f.file(path)
	if at == 0 {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
	}
	flags := os.O_WRONLY
	if at == 0 {
		flags |= os.O_CREATE
	}
	file, err := os.OpenFile(name, flags, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case info.Size() < at:
		return fmt.Errorf("the segment %s has %d bytes, and had %d", path, info.Size(), at)
	}
	if err := file.Truncate(at); err != nil {
		return err
	}
	if _, err := file.Seek(at, io.SeekStart); err != nil {
		return err
	}
	to := &early{to: file, at: at, begun: at, file: func() *os.File { return file }}
	if _, err := io.Copy(to, source); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if at > 0 {
		return nil
	}
	return syncFolder(filepath.Dir(name))
}

func (f folder) openSegment(_ context.Context, _ *gocloud.Bucket, path string, size int64) (io.ReadCloser, error) {
	file, err := os.Open(f.file(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size() < size {
		err = fmt.Errorf("the segment %s has %d bytes, and had %d", path, info.Size(), size)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return limited{io.LimitReader(file, size), file}, nil
}

// limited is the beginning of a file.
type limited struct {
	io.Reader
	io.Closer
}

// link makes another name for the file. Some file systems have no links.
func (f folder) link(from, to string, size int64) (linked bool, err error) {
	source, target := f.file(from), f.file(to)
	info, err := os.Stat(source)
	if err != nil || info.Size() != size {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return false, err
	}
	if err := os.Link(source, target); err != nil {
		return false, nil // then it is copied
	}
	return true, syncFolder(filepath.Dir(target))
}

func (b s3Bucket) grows() bool { return false }

func (b s3Bucket) extend(
	ctx context.Context, bucket *gocloud.Bucket, path string, at int64, source io.Reader,
) error {
	if at > 0 {
		return errors.New("a segment of S3 cannot be extended")
	}
	return b.write(ctx, bucket, path, "application/octet-stream", s3Segment, source)
}

func (b s3Bucket) openSegment(
	ctx context.Context, bucket *gocloud.Bucket, path string, size int64,
) (io.ReadCloser, error) {
	return b.open(ctx, bucket, path, size)
}

func (b s3Bucket) link(string, string, int64) (linked bool, err error) { return false, nil }
