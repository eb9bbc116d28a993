package account

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/db/dbtest"
)

func TestAuditRetention_DeletesOlderEntriesOnly(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	if _, err := Ensure(t.Context(), pool, "admin@example.com", "correct horse"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	ages := map[string]time.Duration{"old": time.Hour + time.Second, "young": time.Hour - time.Second, "new": 0}
	for name, age := range ages {
		at := now.Add(-age)
		id := firstIDAt(at)
		id[15] = 1
		const insert = `INSERT INTO audit SELECT $1, account_id, $2, NULL, $3, '', 'test', '', '{}' FROM app_user LIMIT 1`
		if _, err := pool.Exec(t.Context(), insert, id, at, name); err != nil {
			t.Fatal(err)
		}
	}
	left := func() []string {
		rows, err := pool.Query(t.Context(), "SELECT actor_name FROM audit WHERE action = 'test' ORDER BY at")
		if err != nil {
			t.Fatal(err)
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	unlimited := NewService(Config{Pool: pool, Log: slog.New(slog.DiscardHandler)})
	if err := unlimited.RunAuditRetention(t.Context()); err != nil || len(left()) != 3 {
		t.Errorf("without a limit: %v, %v", left(), err)
	}
	hourly := NewService(Config{Pool: pool, Log: slog.New(slog.DiscardHandler), AuditKeepFor: time.Hour})
	if err := hourly.pruneAudit(t.Context(), now); err != nil || !slices.Equal(left(), []string{"young", "new"}) {
		t.Errorf("after an hour: %v, %v", left(), err)
	}
}
