package change

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/wake"
)

const (
	// stepBatch is the maximum number of new ids in a step.
	stepBatch = 2000

	// sweepInterval bounds the wait of a change whose node died between the commit and the wake-up.
	sweepInterval = 500 * time.Millisecond

	// stepPause is the pause after a step, so that the changes of two milliseconds share the next one: under load a
	// step costs its round trips, however many changes it numbers. A change after a quiet time does not wait.
	stepPause = 2 * time.Millisecond

	// keptHeads is how many of the newest feed_head rows are retained at least. As many older ones are deleted at once.
	keptHeads = 256

	// queryTimeout limits a step, and each read of the feed: a node that has lost contact with the database must not
	// hold a lock forever.
	queryTimeout = 30 * time.Second
)

// Sequencer assigns positions to committed changes. Any number may run, on any number of nodes: a step is a critical
// section.
type Sequencer struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	wake wake.Signal
}

// NewSequencer returns a sequencer on pool; [Sequencer.Run] starts it. If requests use the same pool, a step waits for
// a connection behind them.
func NewSequencer(pool *pgxpool.Pool, log *slog.Logger) *Sequencer {
	return &Sequencer{pool: pool, log: log, wake: wake.New()}
}

// Wake makes Run step soon. It never blocks. Any number of calls during a step cause one more step.
func (s *Sequencer) Wake() { s.wake.Send() }

// Run steps after every Wake, and twice a second for the commits of other nodes, until ctx ends. It also creates the
// log's partitions in advance. While the database is unavailable it retries.
func (s *Sequencer) Run(ctx context.Context) error {
	var extending sync.WaitGroup
	extending.Go(func() { s.extendPartitions(ctx) })
	defer extending.Wait()

	sweep := time.NewTicker(sweepInterval)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-sweep.C:
		}
		if err := s.Drain(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot sequence changes; retrying", "error", err)
		}
		wake.Pause(ctx, stepPause)
	}
}

// Drain steps until no new change is visible.
func (s *Sequencer) Drain(ctx context.Context) error {
	for {
		more, err := s.step(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// step assigns positions to up to stepBatch visible changes; more reports that there may be others.
func (s *Sequencer) step(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q, deferred := store.New(tx), store.New(db.Deferred(tx))
		if err := deferred.LockSequencer(ctx); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		before, err := q.Head(ctx) // a statement of its own, after the lock: it sees the commit of the step before
		if err != nil {
			return fmt.Errorf("read head: %w", err)
		}
		seen, err := q.Unsequenced(ctx, store.UnsequencedParams{
			ScannedTo: before.ScannedTo, Batch: stepBatch, Gaps: before.Gaps,
		})
		if err != nil {
			return fmt.Errorf("read changes: %w", err)
		}
		after, ids := advance(before, seen)
		more = len(seen.Fresh) == stepBatch
		if len(ids) == 0 && slices.Equal(after.Gaps, before.Gaps) && slices.Equal(after.Horizons, before.Horizons) {
			return nil
		}
		return write(ctx, deferred, before, after, ids)
	})
	return more, err
}

// write writes what advance has decided, and deletes old heads every keptHeads steps.
func write(ctx context.Context, q *store.Queries, before, after store.FeedHead, ids []int64) error {
	err := q.InsertStep(ctx, store.InsertStepParams{
		After: before.Position, Ids: ids, Step: after.Step, Position: after.Position,
		ScannedTo: after.ScannedTo, Gaps: after.Gaps, Horizons: after.Horizons,
	})
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if after.Step%keptHeads == 0 {
		err := q.DeleteHeads(ctx, store.DeleteHeadsParams{FromStep: after.Step - 2*keptHeads, ToStep: after.Step - keptHeads})
		if err != nil {
			return fmt.Errorf("delete old heads: %w", err)
		}
	}
	return nil
}
