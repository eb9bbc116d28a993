package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
)

const (
	finishAfter = 30 * time.Second // after its last byte, an upload is not left to its client any more
	finishBatch = 20
)

// sweepResumables ends uploads that have expired, finishes those that nobody does, and deletes the segments of those
// that have ended.
func (s *Service) sweepResumables(ctx context.Context) error {
	q := store.New(s.Pool)
	now := s.now()
	expired, err := q.Expire(ctx, &now)
	if err != nil {
		return fmt.Errorf("end expired uploads: %w", err)
	}
	s.metrics.dead.Add(expired)
	return errors.Join(s.finishAll(ctx, finishAfter), s.deleteLeft(ctx))
}

// finishAll finishes uploads whose bytes have all come: their node has died, or its storage or database was away.
func (s *Service) finishAll(ctx context.Context, after time.Duration) error {
	hashes, err := store.New(s.Pool).Unfinished(ctx, store.UnfinishedParams{Before: time.Now().Add(-after),
		MaxRows: finishBatch})
	if err != nil {
		return fmt.Errorf("list unfinished uploads: %w", err)
	}
	var errs error
	for _, hash := range hashes {
		h, err := s.tryHold(ctx, hash, func() {})
		if err != nil {
			if problem.Of(err) == nil {
				errs = errors.Join(errs, err)
			}
			continue // another node has it
		}
		if err := h.Finish(ctx); err != nil {
			s.Log.WarnContext(ctx, "a resumable upload cannot be finished", "upload_id", h.ID, "error", err)
		}
		errs = errors.Join(errs, h.LetGo(ctx))
	}
	return errs
}

// deleteLeft deletes the segments of uploads that have ended.
func (s *Service) deleteLeft(ctx context.Context) error {
	q := store.New(s.Pool)
	left, err := q.LeftSegments(ctx, sweepBatch)
	if err != nil {
		return fmt.Errorf("list the segments of ended uploads: %w", err)
	}
	var errs error
	for _, l := range left {
		err := s.Media.DeleteSegments(ctx, l.Keys...)
		if err == nil {
			err = q.ForgetSegments(ctx, store.ForgetSegmentsParams{AccountID: l.AccountID, ID: l.ID})
		}
		errs = errors.Join(errs, err)
	}
	return errs
}
