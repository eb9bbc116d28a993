package media

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/media/internal/store"
)

const (
	sweepInterval = time.Hour
	stagedGrace   = 24 * time.Hour // for files that are neither published nor discarded
	orphanBatch   = 200            // assets, each of which may have hundreds of files
	deleteBatch   = 500            // files
	checkTimeout  = 10 * time.Second
)

// Run deletes the bytes that nobody needs any more, at once and then every hour, until ctx ends. It may run on any
// number of nodes.
func (s *Service) Run(ctx context.Context) error {
	if s.bucket == nil {
		<-ctx.Done()
		return nil
	}
	s.reportStorage(ctx)
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	work := s.sweep
	for {
		if err := work(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot delete unused files; retrying in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.discarded:
			work = s.deleteDropped
		case <-tick.C:
			work = s.sweep
		}
	}
}

// reportStorage logs a storage that does not answer. The server runs without it.
func (s *Service) reportStorage(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := s.Check(ctx); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Warn("the storage for files does not answer; uploads and media fail until it does", "error", err)
	}
}

// sweep drops the files that no item has, and deletes the bytes of dropped ones.
func (s *Service) sweep(ctx context.Context) error {
	q := store.New(s.pool)
	if err := q.KeepStaged(ctx, s.storingNow()); err != nil {
		return fmt.Errorf("keep the files that are being stored: %w", err)
	}
	if _, err := q.ExpireStaged(ctx, s.now().Add(-stagedGrace)); err != nil {
		return fmt.Errorf("drop old staged files: %w", err)
	}
	if err := s.dropOrphans(ctx); err != nil {
		return err
	}
	if err := s.deleteDropped(ctx); err != nil {
		return err
	}
	counts, err := q.CountFiles(ctx)
	if err != nil {
		return fmt.Errorf("count files: %w", err)
	}
	s.metrics.count(counts)
	return nil
}

func (s *Service) storingNow() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.AppendSeq([]string{}, maps.Keys(s.storing))
}

// dropOrphans drops the published files whose item, or whose asset of the item, is gone.
func (s *Service) dropOrphans(ctx context.Context) error {
	for after := uuid.Nil; ; {
		page, err := store.New(s.pool).DropOrphans(ctx, store.DropOrphansParams{After: after, Batch: orphanBatch})
		if err != nil {
			return fmt.Errorf("drop the files of deleted items: %w", err)
		}
		if page.Last == uuid.Nil {
			return nil
		}
		after = page.Last
	}
}

// deleteDropped deletes the bytes of dropped files after their grace, and then their rows. It gives up when the storage
// does not answer.
func (s *Service) deleteDropped(ctx context.Context) error {
	q := store.New(s.pool)
	for {
		rows, err := q.DroppedFiles(ctx, store.DroppedFilesParams{Before: s.now().Add(-s.keepFor), Batch: deleteBatch})
		if err != nil {
			return fmt.Errorf("read dropped files: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		if err := s.Check(ctx); err != nil { // a folder that is not mounted has nothing to delete
			return fmt.Errorf("check the storage: %w", err)
		}
		var deleted, failed []string
		var failure error
		for _, row := range rows {
			if err := s.bucket.Delete(ctx, row.Key, row.Incomplete); err != nil {
				failed, failure = append(failed, row.Key), err
				if away := s.Check(ctx); away != nil {
					failed = nil
					break
				}
				continue
			}
			deleted = append(deleted, row.Key)
		}
		if err := s.Check(ctx); err != nil { // it may have gone meanwhile, and the bytes with it
			return fmt.Errorf("check the storage: %w", err)
		}
		s.metrics.deleted(len(deleted))
		if err := q.DeleteFiles(ctx, deleted); err != nil {
			return fmt.Errorf("delete the rows of files: %w", err)
		}
		if failure != nil {
			if err := q.PostponeFiles(ctx, failed); err != nil {
				return fmt.Errorf("postpone files: %w", err)
			}
			return failure
		}
	}
}
