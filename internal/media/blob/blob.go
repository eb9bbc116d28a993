// Package blob stores bytes under keys: in a folder, or in a bucket of an S3-compatible store. The URL says where.
//
// It promises that a key has all bytes of one Write or none, after a failure or the end of the process too; that Write
// and Open never hold a file in memory; and that after a Delete nothing is left of a key, neither a temporary file nor
// parts of an upload. It must not know what the bytes are. Keys are random, chosen by the caller, never used again.
//
// The libraries of gocloud.dev carry the bytes. Their surprises are met here: what each store does differently stays
// below this package.
package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"

	gocloud "gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

var (
	// ErrNotFound is returned for a key without bytes.
	ErrNotFound = errors.New("there is no such blob")
	// ErrTooLarge is returned by Write for a source that is longer than its limit.
	ErrTooLarge = errors.New("the source is longer than the limit")
)

// SourceError is a failure of the source of a Write. Every other error is one of the store.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return "read the source: " + e.Err.Error() }
func (e *SourceError) Unwrap() error { return e.Err }

// Bucket is an open store. Its methods may be called concurrently.
type Bucket struct {
	store
	bucket *gocloud.Bucket
}

// store is what a folder and a bucket of S3 do differently.
type store interface {
	// write stores what source returns, all or nothing.
	write(ctx context.Context, bucket *gocloud.Bucket, key, contentType string, limit int64, source io.Reader) error
	// open returns the content of a key with size bytes.
	open(ctx context.Context, bucket *gocloud.Bucket, key string, size int64) (io.ReadSeekCloser, error)
	// path is the key's name in the bucket.
	path(key string) string
	// discardParts removes what interrupted writes have left of a key.
	discardParts(ctx context.Context, key string) error
	// check reports whether the store answers.
	check(ctx context.Context) error

	segments
}

// Open opens the store of a URL: file:///folder, which is made if there is none, or s3://bucket?region=…&endpoint=…
// with the parameters of gocloud.dev/blob/s3blob, and the credentials of the AWS environment. It does not ask S3
// whether the bucket exists; Check does.
func Open(ctx context.Context, at string) (*Bucket, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, fmt.Errorf("open the storage: %w", err)
	}
	b := &Bucket{}
	switch u.Scheme {
	case "file":
		b.store, b.bucket, err = openFolder(u)
	case "s3":
		b.store, b.bucket, err = openS3(ctx, u)
	default:
		err = fmt.Errorf("%q is neither file:// nor s3://", u.Scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("open the storage: %w", err)
	}
	return b, nil
}

// Close releases the bucket.
func (b *Bucket) Close() error { return b.bucket.Close() }

// Written describes the bytes of a Write.
type Written struct {
	Size   int64
	SHA256 [sha256.Size]byte
}

// Write stores a source, of at most limit bytes. The bytes are on the disk, or accepted by S3, when it returns, and
// their stored length has been measured. Errors: *SourceError; ErrTooLarge; any other is the store's.
func (b *Bucket) Write(ctx context.Context, key, contentType string, limit int64, source io.Reader) (Written, error) {
	sum := sha256.New()
	measured := &meter{ctx: ctx, source: source, limit: limit, hash: sum}
	err := b.write(ctx, b.bucket, b.path(key), contentType, limit, measured)
	measured.wait()
	if measured.err != nil {
		return Written{}, measured.err
	}
	if err != nil {
		return Written{}, fmt.Errorf("write a blob: %w", err)
	}
	attributes, err := b.bucket.Attributes(ctx, b.path(key))
	if err != nil {
		return Written{}, fmt.Errorf("measure a blob: %w", err)
	}
	if attributes.Size != measured.size {
		return Written{}, fmt.Errorf("write a blob: %d of its %d bytes are stored", attributes.Size, measured.size)
	}
	return Written{measured.size, [sha256.Size]byte(sum.Sum(nil))}, nil
}

// Open returns the bytes of a key, of which there are size. Those of a folder are an *os.File. Those of S3 are asked
// for at the first Read, or by Prepare (see Preparer). ctx counts until they are closed. Error: ErrNotFound.
func (b *Bucket) Open(ctx context.Context, key string, size int64) (io.ReadSeekCloser, error) {
	content, err := b.open(ctx, b.bucket, b.path(key), size)
	return content, explain(err)
}

// Preparer is implemented by content that is not at hand yet.
type Preparer interface {
	// Prepare asks for the next n bytes, so that an error is known before the first of them is needed.
	Prepare(n int64) error
}

// Delete deletes the bytes of a key, which may have none. With incomplete, it also looks for what an interrupted Write
// has left.
func (b *Bucket) Delete(ctx context.Context, key string, incomplete bool) error {
	if err := b.bucket.Delete(ctx, b.path(key)); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("delete a blob: %w", err)
	}
	if !incomplete {
		return nil
	}
	if err := b.discardParts(ctx, b.path(key)); err != nil {
		return fmt.Errorf("discard the parts of a blob: %w", err)
	}
	return nil
}

// Check returns an error if the store does not answer.
func (b *Bucket) Check(ctx context.Context) error { return b.check(ctx) }

func explain(err error) error {
	if err != nil && gcerrors.Code(err) == gcerrors.NotFound {
		return ErrNotFound
	}
	return err
}
