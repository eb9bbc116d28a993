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
)

func isDuplicate(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && answer.Code == "23505"
}

// healthy fails when the transaction before has left a connection that is of no use, or one too many in use.
func healthy(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections were not given back", n)
	}
	if err := insert(t.Context(), pool); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestLater_RunsInOrderWithWhatIsWaitedFor(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	err := db.Write(t.Context(), pool, func(ctx context.Context, tx pgx.Tx) error {
		later := db.Deferred(tx)
		for range 3 {
			if err := dbtest.InsertAccount(ctx, later, uuid.New(), "a"); err != nil {
				return err
			}
		}
		if n := accounts(t, tx); n != 3 {
			t.Errorf("a query sees %d of 3", n)
		}
		if err := dbtest.InsertAccount(ctx, later, uuid.New(), "a"); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "UPDATE account SET name = 'b'")
		if tag.RowsAffected() != 4 {
			t.Errorf("a statement saw %d of 4", tag.RowsAffected())
		}
		if err != nil {
			return err
		}
		return dbtest.InsertAccount(ctx, later, uuid.New(), "a")
	})
	if n := accounts(t, pool); err != nil || n != 5 {
		t.Errorf("%d accounts, want 5: %v", n, err)
	}
	healthy(t, pool)
}

func TestLater_ItsErrorIsThatOfTheNextStatement(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	for name, wait := range map[string]func(context.Context, pgx.Tx) error{
		"COMMIT": func(context.Context, pgx.Tx) error { return nil },
		"Exec": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "SELECT 1")
			return err
		},
		"Query": func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, "SELECT id FROM account WHERE id = $1", id)
			if err != nil {
				return err
			}
			rows.Close()
			return rows.Err()
		},
		"QueryRow": func(ctx context.Context, tx pgx.Tx) error {
			var now time.Time
			return tx.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now)
		},
		"CopyFrom": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"account"}, []string{"id", "name"}, pgx.CopyFromRows(nil))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := dbtest.New(t)
			waited := false
			err := db.Write(t.Context(), pool, func(ctx context.Context, tx pgx.Tx) error {
				db.AfterCommit(ctx, func() { t.Error("ran although nothing was committed") })
				later := db.Deferred(tx)
				for range 2 {
					if err := dbtest.InsertAccount(ctx, later, id, "twice"); err != nil {
						return err
					}
				}
				err := wait(ctx, tx)
				waited = err == nil
				return err
			})
			if !isDuplicate(err) || waited != (name == "COMMIT") {
				t.Errorf("got %v", err)
			}
			if n := accounts(t, pool); n != 0 {
				t.Errorf("%d accounts were left", n)
			}
			healthy(t, pool)
		})
	}
}

func TestWrite_SavepointsUndoTheirOwn(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	id := uuid.New()
	part := func(ctx context.Context, tx pgx.Tx, waits bool, result error, ids ...uuid.UUID) error {
		return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			for _, id := range ids {
				if err := dbtest.InsertAccount(ctx, db.Deferred(tx), id, "part"); err != nil {
					return err
				}
			}
			if waits {
				accounts(t, tx)
			}
			return result
		})
	}
	err := db.Write(t.Context(), pool, func(ctx context.Context, tx pgx.Tx) error {
		for n, c := range []struct {
			err  error
			want func(error) bool
		}{
			{part(ctx, tx, false, errPart, uuid.New()), func(err error) bool { return errors.Is(err, errPart) }}, // not even sent
			{part(ctx, tx, false, nil, id), func(err error) bool { return err == nil }},
			{part(ctx, tx, true, errPart, uuid.New()), func(err error) bool { return errors.Is(err, errPart) }},
			{part(ctx, tx, false, nil, uuid.New(), id), isDuplicate},
			{part(ctx, tx, true, nil, uuid.New()), func(err error) bool { return err == nil }},
		} {
			if !c.want(c.err) {
				t.Errorf("part %d: %v", n, c.err)
			}
		}
		return nil
	})
	if n := accounts(t, pool); err != nil || n != 2 {
		t.Errorf("%d accounts, want 2: %v", n, err)
	}
	healthy(t, pool)
}

func TestWrite_NothingDoneIsNothingSent(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	ran := false
	err := db.Write(t.Context(), pool, func(ctx context.Context, _ pgx.Tx) error {
		db.AfterCommit(ctx, func() { ran = true })
		return nil
	})
	if err != nil || !ran {
		t.Errorf("got %v", err)
	}
	healthy(t, pool)
}

func TestWrite_AConnectionThatDiesIsAnErrorAndNoLeak(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for _, late := range []bool{false, true} {
		err := db.Write(t.Context(), pool, func(ctx context.Context, tx pgx.Tx) error {
			pid := tx.Conn().PgConn().PID()
			if err := dbtest.InsertAccount(ctx, tx, uuid.New(), "lost"); err != nil {
				return err
			}
			if _, err := pool.Exec(ctx, "SELECT pg_terminate_backend($1)", pid); err != nil {
				return err
			}
			if late {
				return dbtest.InsertAccount(ctx, db.Deferred(tx), uuid.New(), "lost too")
			}
			var now time.Time
			return tx.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now)
		})
		if err == nil {
			t.Error("the loss went unnoticed")
		}
	}
	deadline := time.Now().Add(5 * time.Second) // pgxpool closes it in the background
	for pool.Stat().AcquiredConns() != 0 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if n := accounts(t, pool); n != 0 {
		t.Errorf("%d accounts were left", n)
	}
	healthy(t, pool)
}
