package media

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/media/blob"
	"itemcast/internal/media/internal/store"
)

// markText follows the storage's id in its mark.
const markText = "\nThis file marks the storage of an Itemcast. Without it, Itemcast stores and deletes nothing here.\n"

// Check returns an error if the storage does not answer, or is another one than that of the database. The first use
// marks it. A service without storage has nothing to check.
func (s *Service) Check(ctx context.Context) error {
	if s.bucket == nil {
		return nil
	}
	id, err := s.storageID(ctx)
	if err != nil {
		return err
	}
	switch mark, err := s.bucket.Mark(ctx); {
	case errors.Is(err, blob.ErrNotFound):
		if away := s.bucket.Check(ctx); away != nil {
			return away
		}
		return &unmarkedError{id}
	case err != nil:
		return err
	case idOf(mark) != id:
		return &unmarkedError{id}
	}
	s.marked.Store(true)
	return nil
}

// unmarkedError says that the storage is not that of the database. Operators see it.
type unmarkedError struct{ id uuid.UUID }

func (e *unmarkedError) Error() string {
	return fmt.Sprintf("the storage is not mounted, or is another one: it has no file %s with the id %s. Mount it. If "+
		"you moved the files, copy that file too; if they are lost, write it with this id", blob.MarkName, e.id)
}

// wantStorage checks that a file may be stored: one in a folder that is not mounted would be lost. Error:
// STORAGE_UNAVAILABLE.
func (s *Service) wantStorage(ctx context.Context) error {
	if s.bucket == nil {
		return errNoStorage
	}
	if s.marked.Load() && !s.bucket.MayVanish() {
		return nil
	}
	return s.explainCheck(ctx, s.Check(ctx))
}

// explainCheck returns what a client sees of a failed Check, and logs the cause.
func (s *Service) explainCheck(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	s.metrics.failed()
	s.log.WarnContext(ctx, "the storage for files cannot be used", "error", err)
	if _, ok := errors.AsType[*unmarkedError](err); ok {
		return errUnmarked
	}
	return explainStorage(err)
}

// storageID returns the id of the storage. It does not change once the storage is marked.
func (s *Service) storageID(ctx context.Context) (uuid.UUID, error) {
	if known := s.storage.Load(); known != nil {
		return *known, nil
	}
	row, err := store.New(s.pool).Storage(ctx)
	if err != nil {
		return uuid.Nil, fmt.Errorf("read the id of the storage: %w", err)
	}
	id := row.ID
	if !row.Marked {
		if id, err = s.mark(ctx); err != nil {
			return uuid.Nil, err
		}
	}
	s.storage.Store(&id)
	return id, nil
}

// mark marks the storage at its first use, and returns its id. A storage that is marked keeps its mark: it was that of
// a database before this one.
func (s *Service) mark(ctx context.Context) (id uuid.UUID, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		q := store.New(tx)
		row, err := q.LockStorage(ctx)
		if err != nil {
			return fmt.Errorf("lock the storage: %w", err)
		}
		if id = row.ID; row.Marked { // by another node
			return nil
		}
		mark, err := s.bucket.Mark(ctx)
		switch found := idOf(mark); {
		case found != uuid.Nil:
			id = found
		case err == nil || errors.Is(err, blob.ErrNotFound):
			err = s.bucket.SetMark(ctx, id.String()+markText)
			if err != nil {
				return err
			}
		default:
			return err
		}
		if err := q.MarkStorage(ctx, id); err != nil {
			return fmt.Errorf("note the storage: %w", err)
		}
		return nil
	})
	return id, err
}

// idOf returns the id in a mark; the nil id for none.
func idOf(mark string) uuid.UUID {
	line, _, _ := strings.Cut(mark, "\n")
	id, err := uuid.Parse(strings.TrimSpace(line))
	if err != nil {
		return uuid.Nil
	}
	return id
}
