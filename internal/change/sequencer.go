package change

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
)

const (
	stepBatch = 2000 // new ids a step takes at most

	// sweepEvery is how long the change of a node that died between its commit and its wake-up waits at most.
	sweepEvery = 500 * time.Millisecond

	// stepPause after a step lets the changes of the next two milliseconds share one: under load, the cost of a step is that of its round
	// trips, and not of what it numbers. A change that comes after a quiet time does not wait.
	stepPause = 2 * time.Millisecond

	// keepSteps is how many old feed_head rows lie about before they are deleted.
	keepSteps = 256

	// answerWithin is how long the database may take over one step. No lock is held, and nobody waits, for ever because a node is alive
	// and cut off from the database's answers.
	answerWithin = 30 * time.Second

	extendEvery = time.Second

	// partitionsAhead is for how many change ids there are partitions in advance; over a minute of writing at full speed.
	partitionsAhead = 500_000

	// unknownHorizon is a new gap's: the step after the one that found it knows better, see the package comment.
	unknownHorizon = math.MaxInt64
)

// Sequencer gives committed changes their positions. Any number may run, on any number of nodes: a step is a critical section.
type Sequencer struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	wake chan struct{}
}

// NewSequencer makes a sequencer on pool; Run starts it. In a pool that requests use too, a step queues for a connection behind them.
func NewSequencer(pool *pgxpool.Pool, log *slog.Logger) *Sequencer {
	return &Sequencer{pool: pool, log: log, wake: make(chan struct{}, 1)}
}

// Wake makes Run step soon. It never blocks; wake-ups while a step runs become one.
func (s *Sequencer) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run steps after every Wake, and twice a second for what other nodes left behind, until ctx ends. While the database is away it keeps
// trying.
func (s *Sequencer) Run(ctx context.Context) error {
	var extending sync.WaitGroup
	extending.Go(func() { s.keepExtending(ctx) })
	defer extending.Wait()

	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-sweep.C:
		}
		if err := s.Drain(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot sequence changes; trying again", "err", err)
		}
		rest(ctx, stepPause)
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

// step gives positions to up to stepBatch visible changes; more says that there may be others.
func (s *Sequencer) step(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q, deferred := store.New(tx), store.New(db.Deferred(tx))
		if err := deferred.LockSequencer(ctx); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		before, err := q.Head(ctx) // a statement of its own, after the lock: it sees what the step before committed
		if err != nil {
			return fmt.Errorf("read head: %w", err)
		}
		seen, err := q.Unsequenced(ctx, store.UnsequencedParams{ScannedTo: before.ScannedTo, Batch: stepBatch, Gaps: before.Gaps})
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

// advance decides, from the head and one snapshot's view, which ids get the next positions, in that order, and what the new head is.
func advance(before store.FeedHead, seen store.UnsequencedRow) (after store.FeedHead, ids []int64) {
	ids = append(slices.Clone(seen.Filled), seen.Fresh...)
	slices.Sort(ids)

	after = store.FeedHead{
		Step:      before.Step + 1,
		Position:  before.Position + int64(len(ids)),
		ScannedTo: before.ScannedTo,
		Gaps:      []int64{},
		Horizons:  []int64{},
	}
	filled := make(map[int64]bool, len(seen.Filled))
	for _, id := range seen.Filled {
		filled[id] = true
	}
	for i, gap := range before.Gaps {
		horizon := before.Horizons[i]
		if dead := horizon <= seen.Xmin; filled[gap] || dead {
			continue
		}
		after.Gaps = append(after.Gaps, gap)
		after.Horizons = append(after.Horizons, min(horizon, seen.Xmax)) // an unknown one is known now; others only rise
	}
	for _, id := range seen.Fresh {
		for skipped := after.ScannedTo + 1; skipped < id; skipped++ {
			after.Gaps = append(after.Gaps, skipped)
			after.Horizons = append(after.Horizons, unknownHorizon)
		}
		after.ScannedTo = id
	}
	return after, ids
}

func write(ctx context.Context, q *store.Queries, before, after store.FeedHead, ids []int64) error {
	err := q.InsertStep(ctx, store.InsertStepParams{After: before.Position, Ids: ids, Step: after.Step, Position: after.Position,
		ScannedTo: after.ScannedTo, Gaps: after.Gaps, Horizons: after.Horizons})
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if after.Step%keepSteps == 0 {
		err := q.DeleteHeads(ctx, store.DeleteHeadsParams{FromStep: after.Step - 2*keepSteps, ToStep: after.Step - keepSteps})
		if err != nil {
			return fmt.Errorf("delete old heads: %w", err)
		}
	}
	return nil
}

// keepExtending makes partitions ahead. It has a goroutine of its own, because to attach one it may have to wait for whoever maintains
// the table, and the sequencer must not.
func (s *Sequencer) keepExtending(ctx context.Context) {
	tick := time.NewTicker(extendEvery)
	defer tick.Stop()
	for {
		if err := s.extend(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot make partitions of the change log ahead", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Sequencer) extend(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err := store.New(s.pool).ExtendPartitions(ctx, partitionsAhead)
	return err
}
