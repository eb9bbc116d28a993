package signin

import (
	"context"
	"testing"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/account/password"
	"itemcast/internal/problem"
)

// whileChanging runs do while a transaction changes the administrator's password. It commits as soon as do waits for
// it.
func (b *bundle) whileChanging(do func() error) error {
	b.t.Helper()
	hash, err := password.Hash(b.t.Context(), "another one made of snow")
	if err != nil {
		b.t.Fatal(err)
	}
	tx, err := b.pool.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(b.t.Context(), "UPDATE app_user SET password_hash = $1 WHERE email = $2", hash, email)
	if err != nil {
		b.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- do() }()
	b.until("a statement that waits for the change", func() bool {
		var waits bool
		const query = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid)))"
		if err := b.pool.QueryRow(b.t.Context(), query, tx.Conn().PgConn().PID()).Scan(&waits); err != nil {
			b.t.Fatal(err)
		}
		return waits || len(done) > 0
	})
	if err := tx.Commit(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return <-done
}

func TestChangePassword_KeepsAPasswordThatIsSetMeanwhile(t *testing.T) {
	b := setup(t)
	me := b.signIn()
	err := b.whileChanging(func() error {
		return b.service.ChangePassword(account.WithActor(t.Context(), me), adminPassword, "a bicycle made of rain")
	})
	if !problem.Is(err, problem.RuleViolated) {
		t.Errorf("got %v", err)
	}
	if _, err := b.service.Basic(t.Context(), email, "another one made of snow"); err != nil {
		t.Errorf("the password that was set meanwhile: %v", err)
	}
}

func TestChangePassword_AllowsAFewAttemptsAMinute(t *testing.T) {
	b := setup(t)
	me := b.signIn()
	now := time.Now()
	b.service.throttle.now = func() time.Time { return now } // each attempt costs a hash; no token comes back meanwhile
	change := func() error {
		return b.service.ChangePassword(account.WithActor(t.Context(), me), adminPassword, "short")
	}
	for range changeBudget.burst {
		if err := change(); !problem.Is(err, problem.RuleViolated) {
			t.Fatalf("got %v", err)
		}
	}
	e := problem.Of(change())
	if e == nil || e.Code != problem.TooManyRequests || e.RetryAfter <= 0 || e.RetryAfter > changeBudget.refill {
		t.Errorf("got %v", e)
	}
}
