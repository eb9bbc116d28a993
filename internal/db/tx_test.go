package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/problem"
)

var errPart = errors.New("a part fails")

// insert inserts an account, joining the transaction of ctx.
func insert(ctx context.Context, pool *pgxpool.Pool) error {
	return db.Write(ctx, pool, func(ctx context.Context, tx pgx.Tx) error {
		return dbtest.InsertAccount(ctx, tx, uuid.New(), "a")
	})
}

func accounts(t *testing.T, reader db.Querier) int {
	t.Helper()
	var n int
	if err := reader.QueryRow(t.Context(), "SELECT count(*) FROM account").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWrite_CommitsThenRunsAfterCommit(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	seen := -1
	err := db.Write(t.Context(), pool, func(ctx context.Context, _ pgx.Tx) error {
		db.AfterCommit(ctx, func() { seen = accounts(t, pool) })
		if err := insert(ctx, pool); err != nil { // joins
			return err
		}
		if n := accounts(t, db.Read(ctx, pool)); n != 1 {
			t.Errorf("the transaction sees %d accounts of its own", n)
		}
		if n := accounts(t, db.Read(t.Context(), pool)); n != 0 {
			t.Errorf("others see %d accounts", n)
		}
		return nil
	})
	if err != nil || seen != 1 {
		t.Errorf("after the commit there were %d accounts: %v", seen, err)
	}
	ran := false
	if db.AfterCommit(t.Context(), func() { ran = true }); !ran {
		t.Error("without a transaction, AfterCommit did not run the function at once")
	}
}

func TestWrite_FailureRollsBackEverything(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	ctx, tx, err := db.Begin(t.Context(), pool, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	db.AfterCommit(ctx, func() { t.Error("ran although nothing was committed") })
	if err := insert(ctx, pool); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(ctx, pool, func(context.Context, pgx.Tx) error { return errPart }); !errors.Is(err, errPart) {
		t.Errorf("got %v", err)
	}
	if err := insert(ctx, pool); !errors.Is(err, db.ErrAborted) {
		t.Errorf("further work: %v", err)
	}
	if err := tx.Commit(ctx); !errors.Is(err, db.ErrAborted) {
		t.Errorf("the commit: %v", err)
	}
	if err := insert(ctx, pool); !errors.Is(err, pgx.ErrTxClosed) {
		t.Errorf("work after the end: %v", err)
	}
	if n := accounts(t, pool); n != 0 {
		t.Errorf("%d accounts are left", n)
	}
}

func TestWrite_PanicRollsBackEverything(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for _, begun := range []bool{false, true} {
		func() {
			ctx := t.Context()
			if begun {
				joined, tx, err := db.Begin(ctx, pool, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := tx.Commit(joined); !errors.Is(err, db.ErrAborted) {
						t.Errorf("the commit: %v", err)
					}
				}()
				ctx = joined
			}
			defer func() { _ = recover() }()
			_ = db.Write(ctx, pool, func(ctx context.Context, _ pgx.Tx) error {
				_ = insert(ctx, pool)
				panic("oh")
			})
		}()
	}
	if n := accounts(t, pool); n != 0 {
		t.Errorf("%d accounts are left", n)
	}
}

func TestCommit_RollsBackWhenTheRequestWasCancelled(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, pool, func(ctx context.Context, _ pgx.Tx) error {
		defer cancel()
		return insert(ctx, pool)
	})
	if !errors.Is(err, context.Canceled) || accounts(t, pool) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestBegin_LockTimeoutIsATemporaryProblem(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	const lock = "SELECT pg_advisory_xact_lock(1)"
	_, first, err := db.Begin(t.Context(), pool, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Rollback()
	if _, err := first.Conn().Exec(t.Context(), lock); err != nil {
		t.Fatal(err)
	}
	ctx, second, err := db.Begin(t.Context(), pool, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Rollback()
	_, err = second.Conn().Exec(ctx, lock)
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || answer.Code != "55P03" || problem.From(err).Code != problem.Unavailable {
		t.Errorf("got %v", err)
	}
	if _, _, err := db.Begin(ctx, pool, 0); err == nil {
		t.Error("a transaction began inside another")
	}
}
