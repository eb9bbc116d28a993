package media

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/media/blob"
	"itemcast/internal/media/internal/store"
)

// CheckShared returns an error if the storage does not answer, or is not that of the servers: it lacks the file that
// was published last.
func (s *Service) CheckShared(ctx context.Context) error {
	if err := s.Check(ctx); err != nil {
		return fmt.Errorf("the storage for files does not answer: %w", err)
	}
	last, err := store.New(db.Read(ctx, s.pool)).LastFile(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the last file's row: %w", err)
	}
	content, err := s.bucket.Open(ctx, last.Key, *last.Size)
	if err == nil {
		defer content.Close()
		if lazy, ok := content.(blob.Preparer); ok {
			err = lazy.Prepare(1)
		}
	}
	if errors.Is(err, blob.ErrNotFound) {
		return errors.New("the storage does not have the files that the database knows")
	}
	if err != nil {
		return fmt.Errorf("read the last file: %w", err)
	}
	return nil
}
