package change

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var errRolledBack = errors.New("rolled back on purpose")

// writeOnce writes a random item in a transaction. One time in five it rolls back, after drawing the change's id.
func writeOnce(ctx context.Context, pool *pgxpool.Pool, account uuid.UUID, items []uuid.UUID) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := put(ctx, tx, account, items[rand.IntN(len(items))]); err != nil {
			return err
		}
		if rand.IntN(5) == 0 {
			return errRolledBack
		}
		return nil
	})
}

// load is a number of writers that write until stop is called.
type load struct {
	committed atomic.Int64
	stop      func()
}

// load starts writers on n's pool, which wake n's sequencer if wake is set. While the database is unavailable they
// retry.
func (n *node) load(writers int, items []uuid.UUID, wake bool) *load {
	l := &load{}
	ctx, cancel := context.WithCancel(n.ctx)
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			for ctx.Err() == nil {
				if err := writeOnce(ctx, n.pool, n.account, items); err == nil {
					l.committed.Add(1)
				} else if !errors.Is(err, errRolledBack) {
					pause(ctx)
				}
				if wake {
					n.sequencer.Wake()
				}
			}
		})
	}
	l.stop = func() { cancel(); running.Wait() }
	n.t.Cleanup(l.stop)
	return l
}

// pause waits before a retry while the database is unavailable.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Millisecond):
	}
}

// follower reads the feed as a subscriber does, and records the changes.
type follower struct {
	read atomic.Int64 // changes read so far
	log  []*Change    // may be read after stop
	stop func()
}

func (n *node) follow(from Position, limit int) *follower {
	f := &follower{}
	ctx, cancel := context.WithCancel(n.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			position := from + Position(len(f.log))
			if n.feed.Wait(ctx, position) != nil {
				return
			}
			changes, err := n.feed.Read(ctx, position, limit)
			if ctx.Err() != nil {
				return
			}
			if err != nil { // the database is unavailable
				pause(ctx)
			}
			f.log = append(f.log, changes...)
			f.read.Store(int64(len(f.log)))
		}
	}()
	f.stop = func() { cancel(); <-done }
	n.t.Cleanup(f.stop)
	return f
}

// settle waits until every committed change has a position and n's feed has read it. A writer that was stopped during
// its commit may have left an open transaction on the server: settle waits for its end first.
func (n *node) settle() {
	n.t.Helper()
	eventually(n.t, "no write is in progress", func() bool {
		return value[bool](n.bundle, `SELECT NOT EXISTS (
				SELECT FROM pg_locks WHERE relation = 'item'::regclass AND mode = 'RowExclusiveLock')
			AND NOT EXISTS (
				SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
				AND query ~ '^(INSERT INTO item|commit)')`)
	})
	eventually(n.t, "every committed change has a position", func() bool {
		return value[bool](n.bundle, "SELECT (SELECT count(*) FROM item_change) = (SELECT count(*) FROM item_position)")
	})
	n.await(Position(value[int64](n.bundle, "SELECT count(*) FROM item_position")))
}

func TestSequencer_ConcurrentChangesAreInTheLogOnceDenselyAndInRevisionOrder(t *testing.T) {
	for name, items := range map[string]int{"on the same item": 1, "on few items": 3, "on different items": 500} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			n := b.node()
			load := n.load(6, newItems(items), true)
			n.await(300)
			load.stop()
			n.settle()
			log := n.log()
			b.checkLog(log)
			if int64(len(log)) < load.committed.Load() {
				t.Fatalf("%d commits were acknowledged, %d are in the log", load.committed.Load(), len(log))
			}
		})
	}
}
