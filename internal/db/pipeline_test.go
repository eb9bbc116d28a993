package db_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
)

func isErrPart(err error) bool { return errors.Is(err, errPart) }

func isDuplicate(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && answer.Code == "23505"
}

// healthy fails if the previous transaction has left a broken connection, or has not released its own.
func healthy(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections were not released", n)
	}
	if err := insert(t.Context(), pool); err != nil {
		t.Errorf("write after the test: %v", err)
	}
}

func TestDeferred_RunsInOrderWithAwaitedStatements(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	err := db.Write(t.Context(), pool, func(ctx context.Context, tx pgx.Tx) error {
		deferred := db.Deferred(tx)
		for range 3 {
			if err := dbtest.InsertAccount(ctx, deferred, uuid.New(), "a"); err != nil {
				return err
			}
		}
		if n := accounts(t, tx); n != 3 {
			t.Errorf("a query sees %d of 3", n)
		}
		if err := dbtest.InsertAccount(ctx, deferred, uuid.New(), "a"); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "UPDATE account SET name = 'b'")
		if tag.RowsAffected() != 4 {
			t.Errorf("a statement saw %d of 4", tag.RowsAffected())
		}
		if err != nil {
			return err
		}
		return dbtest.InsertAccount(ctx, deferred, uuid.New(), "a")
	})
	if n := accounts(t, pool); err != nil || n != 5 {
		t.Errorf("%d accounts, want 5: %v", n, err)
	}
	healthy(t, pool)
}

func TestCounted_TellsTheRowsOfAStatementThatIsSentLater(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for name, await := range map[string]func(context.Context, pgx.Tx) error{
		"COMMIT": func(context.Context, pgx.Tx) error { return nil },
		"Query":  func(_ context.Context, tx pgx.Tx) error { accounts(t, tx); return nil },
		"CopyFrom": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"account"}, []string{"id", "name"}, pgx.CopyFromRows(nil))
			return err
		},
	} {
		var counts []int64
		count := func(rows int64) { counts = append(counts, rows) }
		err := db.Write(t.Context(), pool, func(ctx context.Context, tx pgx.Tx) error {
			if err := dbtest.InsertAccount(ctx, db.Deferred(tx), uuid.New(), "a"); err != nil {
				return err
			}
			for _, statement := range []string{"SELECT generate_series(1, 3)", "UPDATE account SET name = name WHERE false"} {
				if _, err := db.Counted(tx, count).Exec(ctx, statement); err != nil {
					return err
				}
			}
			part, err := tx.Begin(ctx)
			if err != nil {
				return err
			}
			if _, err := db.Counted(part, count).Exec(ctx, "SELECT 1"); err != nil {
				return err
			}
			if err := part.Rollback(ctx); err != nil { // takes the statement back
				return err
			}
			return await(ctx, tx)
		})
		if err != nil || !slices.Equal(counts, []int64{3, 0}) {
			t.Errorf("%s: counted %v, %v", name, counts, err)
		}
	}
}

func TestDeferred_ErrorIsReturnedByTheNextAwaitedStatement(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	for name, await := range map[string]func(context.Context, pgx.Tx) error{
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
			succeeded := false
			err := db.Write(t.Context(), pool, func(ctx context.Context, tx pgx.Tx) error {
				db.AfterCommit(ctx, func() { t.Error("ran although nothing was committed") })
				deferred := db.Deferred(tx)
				for range 2 {
					if err := dbtest.InsertAccount(ctx, deferred, id, "twice"); err != nil {
						return err
					}
				}
				err := await(ctx, tx)
				succeeded = err == nil
				return err
			})
			if !isDuplicate(err) || succeeded != (name == "COMMIT") {
				t.Errorf("got %v", err)
			}
			if n := accounts(t, pool); n != 0 {
				t.Errorf("%d accounts were left", n)
			}
			healthy(t, pool)
		})
	}
}

func TestWrite_SavepointRollsBackItsOwnPart(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	id := uuid.New()
	part := func(ctx context.Context, tx pgx.Tx, awaits bool, result error, ids ...uuid.UUID) error {
		return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			for _, id := range ids {
				if err := dbtest.InsertAccount(ctx, db.Deferred(tx), id, "part"); err != nil {
					return err
				}
			}
			if awaits {
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
			{part(ctx, tx, false, errPart, uuid.New()), isErrPart}, // never sent
			{part(ctx, tx, false, nil, id), func(err error) bool { return err == nil }},
			{part(ctx, tx, true, errPart, uuid.New()), isErrPart},
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

func TestWrite_WithoutStatementsSendsNothing(t *testing.T) {
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

func TestWrite_LostConnectionIsAnErrorAndNoLeak(t *testing.T) {
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
			t.Error("the loss was not reported")
		}
	}
	// pgxpool closes the lost connections in the background, without a signal.
	for end := time.Now().Add(timeout); pool.Stat().AcquiredConns() != 0 && time.Now().Before(end); {
		<-time.After(10 * time.Millisecond)
	}
	if n := accounts(t, pool); n != 0 {
		t.Errorf("%d accounts were left", n)
	}
	healthy(t, pool)
}
