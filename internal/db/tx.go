package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// endPatience bounds COMMIT and ROLLBACK, which run even when the request is gone: a commit given up half-way would leave it open
// whether it happened.
const endPatience = 15 * time.Second

// ErrDoomed is returned by work on a transaction of which an earlier part has failed, and by its commit.
var ErrDoomed = errors.New("an earlier part of the transaction has failed")

// Tx is a transaction that travels in a context, so that all that is done with the context is done as one. Parts of it must not run at
// the same time: a connection does one thing at a time.
type Tx struct {
	pool *pgxpool.Pool
	tx   pgx.Tx

	mu    sync.Mutex
	state txState
	after []func()
}

type txState int

const (
	open txState = iota
	doomed
	committed
	rolledBack
)

type txKey struct{}

// Begin opens a transaction that every Write with the returned context and the same pool joins. With a lockTimeout above zero, no
// statement in it waits longer than that for a lock (SQLSTATE 55P03). The caller defers Rollback. The context must not outlive it.
func Begin(ctx context.Context, pool *pgxpool.Pool, lockTimeout time.Duration) (context.Context, *Tx, error) {
	if joined(ctx, pool) != nil {
		return ctx, nil, errors.New("begin a transaction: there is one in the context")
	}
	tx, err := begin(ctx, pool)
	if err != nil {
		return ctx, nil, fmt.Errorf("begin a transaction: %w", err)
	}
	if lockTimeout > 0 {
		tx.queued.Queue(fmt.Sprintf("set local lock_timeout = %d", lockTimeout.Milliseconds()))
	}
	t := &Tx{pool: pool, tx: tx}
	return context.WithValue(ctx, txKey{}, t), t, nil
}

// Conn is what to run statements of the transaction with.
func (t *Tx) Conn() pgx.Tx { return t.tx }

// Usable returns why the transaction can take no more work: ErrDoomed, or pgx.ErrTxClosed after its end. It is nil while it can.
func (t *Tx) Usable() error {
	switch {
	case t.is(open):
		return nil
	case t.is(doomed):
		return ErrDoomed
	default:
		return pgx.ErrTxClosed
	}
}

// Commit commits and then runs what AfterCommit has gathered. It rolls back and returns ErrDoomed when a part has failed, and rolls
// back when ctx is done; it does not give up for ctx once it has begun.
func (t *Tx) Commit(ctx context.Context) error {
	if err := t.Usable(); err != nil {
		t.Rollback()
		return fmt.Errorf("commit: %w", err)
	}
	if err := ctx.Err(); err != nil {
		t.Rollback()
		return fmt.Errorf("commit: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	if err := t.tx.Commit(ctx); err != nil {
		t.end(rolledBack)
		return fmt.Errorf("commit: %w", err)
	}
	for _, fn := range t.end(committed) {
		fn()
	}
	return nil
}

// Rollback undoes everything, and does nothing after a Commit.
func (t *Tx) Rollback() {
	if t.is(committed, rolledBack) {
		return
	}
	t.end(rolledBack)
	ctx, cancel := context.WithTimeout(context.Background(), endPatience)
	defer cancel()
	_ = t.tx.Rollback(ctx) // should it fail, pgx closes the connection, and the server rolls back
}

// Write runs fn in a transaction: in that of ctx when there is one on this pool, else in one of its own, which it commits when fn
// returns nil. The context that fn gets carries the transaction. When fn fails or panics, everything is undone: a transaction that was
// joined is doomed, and neither commits nor takes further work. Nothing is retried.
func Write(ctx context.Context, pool *pgxpool.Pool, fn func(ctx context.Context, tx pgx.Tx) error) error {
	if t := joined(ctx, pool); t != nil {
		return t.join(ctx, fn)
	}
	ctx, t, err := Begin(ctx, pool, 0)
	if err != nil {
		return err
	}
	defer t.Rollback()
	if err := fn(ctx, t.tx); err != nil {
		return err
	}
	return t.Commit(ctx)
}

// AfterCommit runs fn once the transaction of ctx has committed, and never when it is rolled back. Without a transaction, or after its
// commit, fn runs at once. fn must be quick, and not use ctx to write.
func AfterCommit(ctx context.Context, fn func()) {
	t, _ := ctx.Value(txKey{}).(*Tx)
	if t == nil || t.is(committed) {
		fn()
		return
	}
	t.later(fn)
}

// DBTX runs statements: a pool, a connection or a transaction. Every generated store takes one.
type DBTX interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// Read returns what to read with: the transaction of ctx, which sees its own writes and needs no second connection (a pool whose
// connections all wait for another is stuck), else the pool.
func Read(ctx context.Context, pool *pgxpool.Pool) DBTX {
	if t := joined(ctx, pool); t != nil {
		return t.tx
	}
	return pool
}
