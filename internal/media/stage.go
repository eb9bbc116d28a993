package media

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"syscall"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/media/blob"
	"itemcast/internal/media/internal/store"
	"itemcast/internal/problem"
)

// abandonTimeout limits what follows a file that could not be stored.
const abandonTimeout = 15 * time.Second

// Stage stores a file of at most maxSize bytes that nobody can fetch yet, without holding it in memory. A Size or a
// SHA256 that is not zero is what the file must have. Stage takes no part in a transaction of ctx: the row must be
// committed before the first byte is stored. Errors: TOO_LARGE; BAD_REQUEST for another length or checksum;
// STORAGE_UNAVAILABLE; CONFLICT when the asset has published a file of this name; those of r, as they are.
func (s *Service) Stage(ctx context.Context, account uuid.UUID, f File, maxSize int64, r io.Reader) (File, error) {
	if err := checkName(f.Name); err != nil {
		return File{}, err
	}
	if f.Size > maxSize {
		return File{}, tooLarge(maxSize)
	}
	if err := s.wantStorage(ctx); err != nil {
		return File{}, err
	}
	if _, _, err := mime.ParseMediaType(f.ContentType); err != nil {
		f.ContentType = "application/octet-stream"
	}
	key := newKey()
	s.setStoring(key, true)
	defer s.setStoring(key, false)
	if err := s.announce(ctx, account, f, key); err != nil {
		return File{}, err
	}
	written, err := s.bucket.Write(ctx, key, f.ContentType, cmp.Or(f.Size, maxSize), r)
	if err == nil {
		err = verify(f, written)
	}
	if err == nil {
		f.Size, f.SHA256 = written.Size, written.SHA256
		err = s.complete(ctx, account, f, key)
	}
	if err != nil {
		s.abandon(ctx, account, key)
		return File{}, s.explainWrite(f, maxSize, err)
	}
	s.metrics.stored(f.Size)
	return f, nil
}

// announce inserts the row of a file. A file of that name from an earlier attempt that was never published gives way.
func (s *Service) announce(ctx context.Context, account uuid.UUID, f File, key string) error {
	q := store.New(s.pool)
	row := store.InsertFileParams{AssetID: f.Asset, Name: f.Name, AccountID: account, Key: key,
		ContentType: f.ContentType}
	inserted, err := q.InsertFile(ctx, row)
	if err == nil && inserted == 0 {
		err = q.DisplaceFile(ctx, store.DisplaceFileParams{AccountID: account, AssetID: f.Asset, Name: f.Name})
		if err == nil {
			inserted, err = q.InsertFile(ctx, row)
		}
	}
	if err != nil {
		return fmt.Errorf("announce a file: %w", err)
	}
	if inserted == 0 {
		return problem.New(problem.Conflict, "The asset has a file of this name already. Make another asset.")
	}
	return nil
}

// complete records the measures of a stored file.
func (s *Service) complete(ctx context.Context, account uuid.UUID, f File, key string) error {
	rows, err := store.New(s.pool).CompleteFile(ctx, store.CompleteFileParams{AccountID: account, Key: key,
		Size: &f.Size, Sha256: f.SHA256[:]})
	if err != nil {
		return fmt.Errorf("complete a file: %w", err)
	}
	if rows == 0 {
		return problem.New(problem.Conflict, "The file was discarded, or sent again, while it was being stored.")
	}
	return nil
}

// verify compares what was stored with what was announced.
func verify(f File, written blob.Written) error {
	switch {
	case f.Size > 0 && written.Size != f.Size:
		return problem.New(problem.BadRequest, "The file ended after %d of the %d bytes that were announced. Send it again.",
			written.Size, f.Size)
	case f.SHA256 != [len(f.SHA256)]byte{} && written.SHA256 != f.SHA256:
		return problem.New(problem.BadRequest, "The file does not have the SHA-256 that was announced. Send it again.")
	}
	return nil
}

func tooLarge(maxSize int64) error {
	return problem.New(problem.TooLarge, "The file has more than %d bytes, which is the limit. Send a smaller one.",
		maxSize)
}

// explainWrite returns what the caller sees of a failed Stage, and logs what it does not see.
func (s *Service) explainWrite(f File, maxSize int64, err error) error {
	source, isSource := errors.AsType[*blob.SourceError](err)
	switch {
	case isSource:
		s.metrics.refused()
		return source.Err
	case errors.Is(err, blob.ErrTooLarge) && f.Size > 0:
		s.metrics.refused()
		return problem.New(problem.BadRequest, "The file is longer than the %d bytes that were announced. Send it again.",
			f.Size)
	case errors.Is(err, blob.ErrTooLarge):
		s.metrics.refused()
		return tooLarge(maxSize)
	case problem.Of(err) != nil:
		s.metrics.refused()
		return err
	}
	s.metrics.failed()
	s.log.Warn("cannot store a file", "asset_id", f.Asset, "error", err)
	return explainStorage(err)
}

// explainStorage returns what a client sees of a failure of the storage.
func explainStorage(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errFull
	}
	return errStorage
}

// abandon deletes what was stored of a file. If that fails, the sweep does it.
func (s *Service) abandon(ctx context.Context, account uuid.UUID, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	q := store.New(s.pool)
	if q.AbandonFile(ctx, store.AbandonFileParams{AccountID: account, Key: key}) != nil {
		return
	}
	if s.bucket.Delete(ctx, key, true) == nil && s.Check(ctx) == nil { // a storage that is not mounted has no bytes
		_ = q.DeleteFiles(ctx, []string{key})
	}
}

func (s *Service) setStoring(key string, storing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if storing {
		s.storing[key] = true
	} else {
		delete(s.storing, key)
	}
}
