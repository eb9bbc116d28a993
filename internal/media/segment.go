package media

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/google/uuid"

	"itemcast/internal/media/blob"
)

// Segment is a run of a file's bytes that came from a client in one or more requests. Its row is the caller's, and so
// is the order of a file's segments. Only Size bytes count; the storage may have more.
type Segment struct {
	Key  string
	Size int64 // bytes
}

// NewSegment returns the key of a segment. Record it before Extend, so that its bytes can be found and deleted.
func NewSegment() string { return newKey() }

// MaxSegment is how many bytes one Extend may get.
func (s *Service) MaxSegment() int64 {
	if s.bucket == nil {
		return 0
	}
	return s.bucket.MaxSegment()
}

// SegmentsGrow reports whether Extend takes a segment that has bytes.
func (s *Service) SegmentsGrow() bool { return s.bucket != nil && s.bucket.SegmentsGrow() }

// Extend stores what source returns, at most MaxSegment bytes, after those of a segment, and returns how many they are.
// They are stored durably, and hash got them. After an error the segment is as it was, and hash is of no use. Errors:
// STORAGE_UNAVAILABLE; those of source.
func (s *Service) Extend(ctx context.Context, segment Segment, source io.Reader, hash io.Writer) (int64, error) {
	if s.bucket == nil {
		return 0, errNoStorage
	}
	n, err := s.bucket.Extend(ctx, segment.Key, segment.Size, source, hash)
	if failure, ok := errors.AsType[*blob.SourceError](err); ok {
		return 0, failure.Err
	}
	if err != nil {
		s.metrics.failed()
		s.log.Warn("cannot store a part of a file", "key", segment.Key, "error", err)
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return 0, errFull
		}
		return 0, errStorage
	}
	return n, nil
}

// ReadSegments returns the bytes of segments, one after the other. Errors of its Read: STORAGE_UNAVAILABLE.
func (s *Service) ReadSegments(ctx context.Context, segments []Segment) io.ReadCloser {
	return &joined{ctx: ctx, s: s, rest: segments}
}

// joined reads segments.
type joined struct {
	ctx     context.Context
	s       *Service
	rest    []Segment
	current io.ReadCloser // nil: none
	left    int64         // bytes of current
}

func (j *joined) Read(p []byte) (int, error) {
	for {
		if j.current == nil {
			if len(j.rest) == 0 {
				return 0, io.EOF
			}
			if j.s.bucket == nil {
				return 0, errNoStorage
			}
			next := j.rest[0]
			content, err := j.s.bucket.OpenSegment(j.ctx, next.Key, next.Size)
			if err != nil {
				return 0, j.fail(next.Key, err)
			}
			j.rest, j.current, j.left = j.rest[1:], content, next.Size
		}
		n, err := j.current.Read(p)
		j.left -= int64(n)
		switch {
		case err == nil || n > 0 && errors.Is(err, io.EOF):
			return n, nil
		case !errors.Is(err, io.EOF):
			return n, j.fail("", err)
		case j.left != 0:
			return n, j.fail("", fmt.Errorf("a segment lacks %d bytes", j.left))
		}
		_ = j.Close()
	}
}

func (j *joined) fail(key string, err error) error {
	j.s.metrics.failed()
	j.s.log.Warn("cannot read a part of a file", "key", key, "error", err)
	return errStorage
}

func (j *joined) Close() error {
	if j.current != nil {
		_ = j.current.Close()
		j.current = nil
	}
	return nil
}

// StageSegments is Stage for a file whose bytes are stored already. f.Size is their length. Where the storage can, one
// segment becomes the file without a copy: only if f.SHA256 is that of its bytes, which this does not check. The
// segments stay until they are deleted, and must not be extended any more. Errors: as Stage.
func (s *Service) StageSegments(
	ctx context.Context, account uuid.UUID, f File, segments []Segment,
) (File, error) {
	if len(segments) == 1 && f.SHA256 != [sha256.Size]byte{} && s.bucket != nil {
		linked, err := s.link(ctx, account, f, segments[0])
		if err != nil || linked {
			return f, err
		}
	}
	content := s.ReadSegments(ctx, segments)
	defer content.Close()
	return s.Stage(ctx, account, f, f.Size, content)
}

// link stages a segment under another key. If it returns false, Stage replaces the row that it may have inserted.
func (s *Service) link(ctx context.Context, account uuid.UUID, f File, segment Segment) (linked bool, err error) {
	if err := checkName(f.Name); err != nil {
		return false, err
	}
	key := newKey()
	s.setStoring(key, true)
	defer s.setStoring(key, false)
	if err := s.announce(ctx, account, f, key); err != nil {
		return false, err
	}
	if linked, err = s.bucket.Link(segment.Key, key, segment.Size); err != nil {
		s.log.Warn("cannot link a file", "asset_id", f.Asset, "error", err)
		return false, nil
	}
	if !linked {
		return false, nil
	}
	if err := s.complete(ctx, account, f, key); err != nil {
		return false, err
	}
	s.metrics.stored(f.Size)
	return true, nil
}

// DeleteSegments deletes the bytes of segments, which may have none. Error: STORAGE_UNAVAILABLE.
func (s *Service) DeleteSegments(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	if s.bucket == nil {
		return errNoStorage
	}
	if err := s.bucket.Check(ctx); err != nil { // a folder that is not mounted has nothing to delete
		return fmt.Errorf("check the storage: %w", err)
	}
	for _, key := range keys {
		if err := s.bucket.Delete(ctx, key, false); err != nil {
			return err
		}
	}
	return nil
}
