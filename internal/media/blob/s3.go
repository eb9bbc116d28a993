package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocloud "gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // for s3://
)

const (
	// A file is uploaded in parts of minPart bytes, maxParallel at a time, each held in memory. S3 takes at most 10,000
	// parts, so those of very large files are larger.
	minPart     = 8 << 20
	maxParallel = 2
	maxParts    = 9_000

	// validation is a parameter of the URL. By default the SDK logs each answer that it cannot validate, such as that of a
	// file which was sent in parts. The length of every file is known, and its SHA-256.
	validation = "response_checksum_validation"

	// abortTimeout is how long an upload whose context has ended may take to discard its parts.
	abortTimeout = 30 * time.Second
)

// s3Bucket stores each blob as an object. Keys have no folders: S3 gateways over a file system make real ones, and
// refuse an upload into a folder that they are about to remove.
type s3Bucket struct {
	client       *s3.Client
	name, prefix string
}

func openS3(ctx context.Context, u *url.URL) (store, *gocloud.Bucket, error) {
	if u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return nil, nil, fmt.Errorf("%s must be a bucket such as s3://media?region=eu-central-1", u.Redacted())
	}
	query := u.Query()
	if !query.Has(validation) {
		query.Set(validation, "when_required")
	}
	quiet := *u
	quiet.RawQuery = query.Encode()
	bucket, err := gocloud.OpenBucket(ctx, quiet.String())
	if err != nil {
		return nil, nil, err
	}
	b := s3Bucket{name: u.Host, prefix: query.Get("prefix")}
	if !bucket.As(&b.client) {
		return nil, nil, errors.New("the bucket has no client")
	}
	return b, bucket, nil
}

func (b s3Bucket) path(key string) string { return key }

// write gives up through its source, and by its context only when that takes too long: an upload whose context has
// ended cannot discard its parts.
func (b s3Bucket) write(
	ctx context.Context, bucket *gocloud.Bucket, path, contentType string, limit int64, source io.Reader,
) error {
	uploading, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(abortTimeout, cancel) })
	defer stop()
	return bucket.Upload(uploading, path, source, &gocloud.WriterOptions{ContentType: contentType,
		BufferSize: partSize(limit), MaxConcurrency: maxParallel})
}

// partSize returns the size of the parts of a file of at most limit bytes.
func partSize(limit int64) int {
	size := int64(minPart)
	for size < limit/maxParts {
		size *= 2
	}
	return int(size)
}

func (b s3Bucket) open(
	ctx context.Context, bucket *gocloud.Bucket, path string, size int64,
) (io.ReadSeekCloser, error) {
	return &object{ctx: ctx, bucket: bucket, path: path, size: size}, nil
}

// discardParts aborts the uploads of a key that a killed process has left. No listing of objects shows them.
func (b s3Bucket) discardParts(ctx context.Context, path string) error {
	key := b.prefix + path
	uploads, err := b.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &b.name, Prefix: &key})
	if err != nil {
		return err
	}
	for _, upload := range uploads.Uploads {
		if aws.ToString(upload.Key) != key {
			continue
		}
		_, aborted := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: upload.Key,
			UploadId: upload.UploadId})
		err = errors.Join(err, aborted)
	}
	return err
}

func (b s3Bucket) check(ctx context.Context) error {
	_, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.name})
	return err
}
