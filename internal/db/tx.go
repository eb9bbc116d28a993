package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// endTimeout limits COMMIT and ROLLBACK. Both run even when the request was cancelled: after an interrupted COMMIT it
// would be unknown whether the transaction committed.
const endTimeout = 15 * time.Second

// ErrAborted is returned by work on a transaction in which an earlier part failed, and by its commit.
var ErrAborted = errors.New("an earlier part of the transaction has failed")

// Tx is a transaction that travels in a context: every [Write] with that context takes part in it. Its parts must not
// run concurrently, because a connection runs one statement at a time. Its states:
//
//	open ──Commit──▶ committed
//	 │  └─Rollback, failed Commit──▶ rolledBack
//	 └──a part fails──▶ aborted ──Commit (returns ErrAborted), Rollback──▶ rolledBack
type Tx struct {
	pool *pgxpool.Pool
	tx   pgx.Tx

	mu    sync.Mutex // guards what follows
	state txState
	after []func() // run after the commit
}

type txState int

const (
	open txState = iota
	aborted
	committed
	rolledBack
)

type txKey struct{}

// Begin opens a transaction that every [Write] with the returned context and the same pool joins. With a lockTimeout
// above zero, no statement in it waits longer for a lock (SQLSTATE 55P03). It fails if ctx already has a transaction on
// the pool. The caller defers Rollback, and must not use the context after the transaction's end.
func Begin(ctx context.Context, pool *pgxpool.Pool, lockTimeout time.Duration) (context.Context, *Tx, error) {
	if joined(ctx, pool) != nil {
		return ctx, nil, errors.New("begin a transaction: the context already has one")
	}
	tx, err := begin(ctx, pool)
	if err != nil {
		return ctx, nil, fmt.Errorf("begin a transaction: %w", err)
	}
	if lockTimeout > 0 {
		tx.queue.Queue(fmt.Sprintf("set local lock_timeout = %d", lockTimeout.Milliseconds()))
	}
	t := &Tx{pool: pool, tx: tx}
	return context.WithValue(ctx, txKey{}, t), t, nil
}

// Conn returns the pgx transaction that runs statements.
func (t *Tx) Conn() pgx.Tx { return t.tx }

// Usable returns nil while the transaction accepts work, [ErrAborted] after a part failed, and pgx.ErrTxClosed after
// its end.
func (t *Tx) Usable() error {
	switch {
	case t.is(open):
		return nil
	case t.is(aborted):
		return ErrAborted
	default:
		return pgx.ErrTxClosed
	}
}

// Commit commits, then runs the functions given to [AfterCommit]. When a part has failed it rolls back and returns
// [ErrAborted]; when ctx is done it rolls back and returns ctx's error. Once COMMIT has been sent, ctx no longer
// counts: the answer is awaited for up to 15 seconds.
func (t *Tx) Commit(ctx context.Context) error {
	if err := t.Usable(); err != nil {
		t.Rollback()
		return fmt.Errorf("commit: %w", err)
	}
	if err := ctx.Err(); err != nil {
		t.Rollback()
		return fmt.Errorf("commit: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
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

// Rollback rolls the transaction back. After its end it does nothing.
func (t *Tx) Rollback() {
	if t.is(committed, rolledBack) {
		return
	}
	t.end(rolledBack)
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_ = t.tx.Rollback(ctx) // on an error the connection is closed, and the server rolls back
}

// Write runs fn in a transaction: in that of ctx if there is one on this pool, else in a new one that it commits when
// fn returns nil. The context of fn carries the transaction. When fn fails or panics, a new transaction is rolled back,
// and a joined one is aborted: it accepts no further work and cannot commit. Write never retries.
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

// AfterCommit runs fn after the transaction of ctx has committed; after a rollback fn does not run. Without a
// transaction, or after its commit, it runs fn at once. fn must be quick, and must not write with ctx.
func AfterCommit(ctx context.Context, fn func()) {
	t, _ := ctx.Value(txKey{}).(*Tx)
	if t == nil || t.is(committed) {
		fn()
		return
	}
	t.addAfter(fn)
}

// Read returns the Querier to read with: the transaction of ctx if there is one on this pool, else the pool. A read in
// the transaction sees its writes, and takes no second connection. (If every connection of a pool were held by a
// goroutine that waits for a second one, none could continue.)
func Read(ctx context.Context, pool *pgxpool.Pool) Querier {
	if t := joined(ctx, pool); t != nil {
		return t.tx
	}
	return pool
}
