package change

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change/internal/store"
)

const pruneInterval = time.Minute

// Retention limits the log. Zero means no limit.
type Retention struct {
	MaxAge   time.Duration // older changes are dropped; each at the latest when it is 10 % older
	MaxBytes int64         // of tables and indexes, accurate to a partition of 250,000 changes
}

// Hold returns the position up to which its owner no longer needs the log; math.MaxInt64 if it needs none of it.
type Hold func(ctx context.Context) (Position, error)

// Pruner drops the oldest changes, within the limits of a [Retention]. Any number may run, on any number of nodes: one
// works at a time.
//
// A pass never makes a gap that a reader could meet, because it works in this order:
//
//  1. Raise the floor. Cursors below it expire.
//  2. Detach the partitions below the floor, without a lock that a reader or a writer would wait for.
//  3. Drop them.
//
// If a pruner dies in between, or cannot detach a partition because of an open transaction, the next pass resumes
// there.
//
// Even beyond the limits, the pruner does not drop a change that a durable consumer or the hold still needs, or that
// may not have a position yet.
type Pruner struct {
	pool      *pgxpool.Pool
	retention Retention
	hold      Hold
	log       *slog.Logger
	dropped   atomic.Int64 // changes
}

// NewPruner returns a pruner on pool; [Pruner.Run] starts it.
func NewPruner(pool *pgxpool.Pool, retention Retention, hold Hold, log *slog.Logger) *Pruner {
	return &Pruner{pool: pool, retention: retention, hold: hold, log: log}
}

// Run prunes once a minute until ctx ends.
func (p *Pruner) Run(ctx context.Context) error {
	tick := time.NewTicker(pruneInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := p.prune(ctx, time.Now()); err != nil && ctx.Err() == nil {
			p.log.Warn("cannot prune the change log; retrying", "error", err)
		}
	}
}

// prune makes one pass, unless another pruner is at work.
func (p *Pruner) prune(ctx context.Context, now time.Time) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire a connection: %w", err)
	}
	defer conn.Release()
	pass := &prunePass{Pruner: p, conn: conn.Conn(), q: store.New(conn), now: now}
	locked, err := pass.q.TryLockRetention(ctx)
	if err != nil {
		return fmt.Errorf("lock the retention: %w", err)
	}
	if !locked {
		return nil
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		if pass.q.UnlockRetention(ctx) != nil {
			_ = conn.Conn().Close(ctx) // releases the lock
		}
	}()
	if err = pass.run(ctx); errors.Is(err, errPartitionInUse) {
		p.log.Info("cannot drop a partition of the change log, because an open transaction uses it; retrying")
		return nil
	}
	return err
}
