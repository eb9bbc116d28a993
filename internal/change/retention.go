package change

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change/internal/store"
)

const (
	retainEvery = time.Minute

	// detachWithin bounds how long a partition's detaching waits for transactions that are older than it. While it waits, none can be attached.
	detachWithin = 2 * time.Second

	// Changes that are overdue by this part of the time that they are kept go one by one. Under load whole partitions are due before.
	overdue = 10

	deleteBatch   = 5000
	deleteBatches = 20 // a look
)

// Retention is what the log keeps. Zero is no limit.
type Retention struct {
	MaxAge   time.Duration // a change is kept for so long, and for a tenth more at most
	MaxBytes int64         // of tables and indexes, to within a partition of 250,000 changes
}

// Hold says up to which position somebody beside the durable consumers has done with the log; math.MaxInt64 when there is nothing to be done.
type Hold func(ctx context.Context) (Position, error)

// Keeper lets go of what the log need not keep. Any number may run, on any number of nodes: one of them is at it.
//
// What goes, goes in this order, so that no reader ever meets a hole: the floor rises, below which cursors are expired; then partitions are
// detached, without a lock that a reader or a writer would wait for; then they are dropped. A keeper that dies in between, or waits for a
// transaction in vain, is finished by the next.
//
// Nothing goes that a durable consumer or a hold still needs, whatever the limits say, nor what the sequencer may still number.
type Pruner struct {
	pool      *pgxpool.Pool
	retention Retention
	hold      Hold
	log       *slog.Logger
	dropped   atomic.Int64 // changes
}

// NewKeeper makes a keeper on pool; Run starts it.
func NewPruner(pool *pgxpool.Pool, retention Retention, hold Hold, log *slog.Logger) *Pruner {
	return &Pruner{pool: pool, retention: retention, hold: hold, log: log}
}

// Run looks every minute until ctx ends.
func (k *Pruner) Run(ctx context.Context) error {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := k.retain(ctx, time.Now()); err != nil && ctx.Err() == nil {
			k.log.Warn("cannot let go of old changes; trying again", "err", err)
		}
	}
}

// errBusy is of a partition that somebody still uses. It goes another time.
var errBusy = errors.New("a partition of the change log is in use")

// retain looks once.
func (k *Pruner) retain(ctx context.Context, now time.Time) error {
	conn, err := k.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	l := &look{Pruner: k, conn: conn.Conn(), q: store.New(conn), now: now}
	locked, err := l.q.TryLockRetention(ctx)
	if err != nil || !locked {
		return err
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		if l.q.UnlockRetention(ctx) != nil {
			_ = conn.Conn().Close(ctx) // which unlocks
		}
	}()
	if err = l.run(ctx); errors.Is(err, errBusy) {
		k.log.Info("a part of the change log goes later: a transaction is left open that may read it")
		return nil
	}
	return err
}

// look is one look of a keeper.
type look struct {
	*Pruner
	conn *pgx.Conn
	q    *store.Queries
	now  time.Time

	floor, mayGo  Position
	numberedBelow int64 // change id
	held          bool  // something should go and may not
}

func (l *look) run(ctx context.Context) error {
	before, err := l.read(ctx)
	if err != nil {
		return err
	}
	if err := l.dropPartitions(ctx); err != nil {
		return err
	}
	if err := l.deleteOverdue(ctx); err != nil {
		return err
	}
	if err := l.dropPositions(ctx); err != nil {
		return err
	}
	if gone := l.floor - before; gone > 0 {
		l.dropped.Add(int64(gone))
		l.log.Info("let go of old changes", "changes", gone, "cursors expire up to", l.floor)
	}
	if l.held {
		l.log.Warn("the change log is longer than it should be: a consumer, or a hook's delivery, is not done with its beginning", "position", l.mayGo)
	}
	return nil
}

func (l *look) read(ctx context.Context) (floor Position, err error) {
	row, err := l.q.Retainable(ctx)
	if err != nil {
		return 0, err
	}
	held, err := l.hold(ctx)
	if err != nil {
		return 0, err
	}
	l.floor, l.mayGo, l.numberedBelow = Position(row.Floor), min(Position(row.Consumed), held), row.NumberedBelow
	return l.floor, nil
}

// dropPartitions drops the oldest partitions of changes while they are too old, or the log is too large.
func (l *look) dropPartitions(ctx context.Context) error {
	size := int64(0)
	positions, err := l.q.LogPartitions(ctx, "item_position")
	if err != nil {
		return err
	}
	for _, p := range positions {
		size += p.Bytes
	}
	changes, err := l.q.LogPartitions(ctx, "item_change")
	if err != nil {
		return err
	}
	for _, p := range changes {
		size += p.Bytes
	}
	for _, p := range changes {
		if p.Detaching {
			if err := l.drop(ctx, "item_change", p); err != nil {
				return err
			}
			size -= p.Bytes
			continue
		}
		if p.Upper > l.numberedBelow {
			return nil
		}
		due := l.retention.MaxBytes > 0 && size > l.retention.MaxBytes
		if !due {
			if due, err = l.isOld(ctx, p); err != nil || !due {
				return err
			}
		}
		last, err := l.q.LastPositionBelow(ctx, store.LastPositionBelowParams{Lower: p.Lower, Upper: p.Upper})
		if err != nil {
			return err
		}
		if Position(last) > l.mayGo {
			l.held = true
			return nil
		}
		err = l.raiseFloor(ctx, Position(last), func(q *store.Queries) error {
			return q.KeepTombstones(ctx, store.KeepTombstonesParams{Lower: p.Lower, Upper: p.Upper})
		})
		if err != nil {
			return err
		}
		if err := l.drop(ctx, "item_change", p); err != nil {
			return err
		}
		size -= p.Bytes
	}
	return nil
}

// isOld reports whether the newest change of a partition is too old. One without any is, when whole partitions of it go.
func (l *look) isOld(ctx context.Context, p store.LogPartitionsRow) (bool, error) {
	if l.retention.MaxAge == 0 {
		return false, nil
	}
	var newest time.Time
	err := l.conn.QueryRow(ctx, "SELECT occurred_at FROM "+quote(p.Name)+" ORDER BY id DESC LIMIT 1").Scan(&newest)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	}
	return err == nil && l.now.Sub(newest) > l.retention.MaxAge, err
}

// deleteOverdue deletes, one by one, changes of partitions that will not be full for long.
func (l *look) deleteOverdue(ctx context.Context) error {
	if l.retention.MaxAge == 0 {
		return nil
	}
	before := l.now.Add(-l.retention.MaxAge - l.retention.MaxAge/overdue)
	for range deleteBatches {
		rows, err := l.q.OldestPositions(ctx, store.OldestPositionsParams{Floor: int64(l.floor), UpTo: math.MaxInt64, Batch: deleteBatch})
		if err != nil {
			return err
		}
		last := l.floor
		for _, row := range rows {
			if !row.OccurredAt.Before(before) {
				break
			}
			last = Position(row.Position)
		}
		if last > l.mayGo {
			l.held, last = true, l.mayGo
		}
		if last <= l.floor {
			return nil
		}
		err = l.raiseFloor(ctx, last, func(q *store.Queries) error {
			ids, err := q.DeletePositions(ctx, store.DeletePositionsParams{Floor: int64(l.floor), UpTo: int64(last)})
			if err != nil {
				return err
			}
			if err := q.KeepTombstonesOf(ctx, ids); err != nil {
				return err
			}
			if err := q.DeleteAttempts(ctx, store.DeleteAttemptsParams{Floor: int64(l.floor), UpTo: int64(last)}); err != nil {
				return err
			}
			return q.DeleteChanges(ctx, ids)
		})
		if err != nil || len(rows) < deleteBatch {
			return err
		}
	}
	return nil
}

// raiseFloor raises the floor, if that is higher, in the transaction of what makes ready for it.
func (l *look) raiseFloor(ctx context.Context, floor Position, makeReady func(*store.Queries) error) error {
	floor = max(floor, l.floor)
	err := pgx.BeginFunc(ctx, l.conn, func(tx pgx.Tx) error {
		q := store.New(tx)
		if err := makeReady(q); err != nil {
			return err
		}
		return q.RaiseFloor(ctx, int64(floor))
	})
	if err == nil {
		l.floor = floor
	}
	return err
}

// byPosition are the tables that are partitioned by position, and go with the changes there.
var byPosition = []string{"item_position", "delivery_attempt"}

// dropPositions drops partitions of positions that lie below the floor.
func (l *look) dropPositions(ctx context.Context) error {
	for _, table := range byPosition {
		partitions, err := l.q.LogPartitions(ctx, table)
		if err != nil {
			return err
		}
		for _, p := range partitions {
			if !p.Detaching && p.Upper > int64(l.floor) {
				break
			}
			if err := l.drop(ctx, table, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop detaches a partition and drops it, or goes on where another keeper stopped. Error: errBusy.
func (l *look) drop(ctx context.Context, parent string, p store.LogPartitionsRow) error {
	how := "CONCURRENTLY"
	if p.Detaching {
		how = "FINALIZE"
	}
	statements := []string{
		fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s %s", parent, quote(p.Name), how),
		"DROP TABLE " + quote(p.Name),
	}
	if p.Detaching && p.Upper == 0 { // it is detached
		statements = statements[1:]
	}
	if _, err := l.conn.Exec(ctx, fmt.Sprintf("SET statement_timeout = %d", detachWithin.Milliseconds())); err != nil {
		return err
	}
	defer func() { _, _ = l.conn.Exec(context.WithoutCancel(ctx), "RESET statement_timeout") }()
	for _, statement := range statements {
		if _, err := l.conn.Exec(ctx, statement); err != nil {
			if isTimeout(err) {
				return errBusy
			}
			return err
		}
	}
	return nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// isTimeout knows query_canceled, as by statement_timeout (PostgreSQL documentation, appendix A).
func isTimeout(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && answer.Code == "57014"
}
