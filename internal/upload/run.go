package upload

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/upload/internal/store"
	"itemcast/internal/wake"
)

const (
	seenTimeout = 20 * time.Second // for telling that uploads live; below deadAfter, so that it can be tried again
	sweepBatch  = 100
)

// Run tells other nodes that this node's uploads live, and ends what dead nodes have left, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { s.stayPresent(ctx) })
	watching.Go(func() { s.watchHeld(ctx) })
	var swept time.Time
	for {
		s.see(ctx)
		if time.Since(swept) >= sweepEvery {
			swept = time.Now()
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "what dead uploads have left cannot be removed now", "error", err)
			}
		}
		if !wake.Pause(ctx, seenEvery) {
			return nil
		}
	}
}

// see tells that this node's uploads live, and stops those that were ended elsewhere.
func (s *Service) see(ctx context.Context) {
	all := s.tracked()
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, seenTimeout)
	defer cancel()
	ids, received := make([]uuid.UUID, len(all)), make([]int64, len(all))
	for i, u := range all {
		ids[i], received[i] = u.id, u.received.Load()
	}
	alive, err := store.New(s.Pool).StillReceiving(ctx, store.StillReceivingParams{Ids: ids, Bytes: received})
	if err != nil {
		s.Log.WarnContext(ctx, "uploads cannot be reported as alive now", "error", err)
		return
	}
	is := make(map[uuid.UUID]bool, len(alive))
	for _, id := range alive {
		is[id] = true
	}
	for _, u := range all {
		if !is[u.id] { // it may also have finished meanwhile, which cancelling does not harm
			u.cancel(errStopped)
		}
	}
}

// Sweep ends the uploads of dead nodes, discards the files of uploads that have ended, and deletes old rows.
func (s *Service) Sweep(ctx context.Context) error {
	q := store.New(s.Pool)
	dead, err := q.EndDead(ctx, deadAfter.Seconds())
	if err != nil {
		return fmt.Errorf("end dead uploads: %w", err)
	}
	s.metrics.dead.Add(dead)
	errs := s.sweepResumables(ctx)
	left, err := q.Leftovers(ctx, sweepBatch)
	if err != nil {
		return fmt.Errorf("list the files of ended uploads: %w", err)
	}
	for _, l := range left {
		errs = errors.Join(errs, s.discardAll(ctx, l.AccountID, l.ID, l.AssetIds))
	}
	for {
		pruned, err := q.Prune(ctx, store.PruneParams{KeepFor: keepFor.Seconds(), MaxRows: sweepBatch})
		if err != nil {
			return errors.Join(errs, fmt.Errorf("delete old uploads: %w", err))
		}
		if pruned < sweepBatch {
			return errs
		}
	}
}

func (s *Service) discardAll(ctx context.Context, account, upload uuid.UUID, assets []uuid.UUID) error {
	if err := s.Media.Discard(ctx, account, assets...); err != nil {
		return fmt.Errorf("discard the files of upload %s: %w", upload, err)
	}
	err := store.New(s.Pool).Discarded(ctx, store.DiscardedParams{AccountID: account, ID: upload})
	if err != nil {
		return fmt.Errorf("forget the files of upload %s: %w", upload, err)
	}
	return nil
}
