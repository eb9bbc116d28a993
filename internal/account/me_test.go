package account

import (
	"context"
	"errors"
	"testing"
	"time"

	"itemcast/internal/problem"
)

// whileChanging runs do while a transaction changes the administrator's password, which commits as soon as do waits for it.
func (b *bundle) whileChanging(do func() error) error {
	b.t.Helper()
	hash, err := HashPassword(b.t.Context(), "another one made of snow")
	if err != nil {
		b.t.Fatal(err)
	}
	tx, err := b.pool.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(b.t.Context(), "UPDATE app_user SET password_hash = $1 WHERE email = $2", hash, email); err != nil {
		b.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- do() }()
	b.until("it to wait for the change", func() bool {
		var waiting bool
		const asked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
		if err := b.pool.QueryRow(b.t.Context(), asked).Scan(&waiting); err != nil {
			b.t.Fatal(err)
		}
		return waiting || len(done) > 0
	})
	if err := tx.Commit(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return <-done
}

func TestSession_NoneIsOpenedWithAPasswordThatChangesMeanwhile(t *testing.T) {
	b := setup(t)
	err := b.whileChanging(func() error {
		_, err := b.signIn.Open(t.Context(), email, password, "a browser", "")
		return err
	})
	if !errors.Is(err, errCredentials) {
		t.Errorf("got %v", err)
	}
}

func TestChangePassword_OneThatIsSetMeanwhileStays(t *testing.T) {
	b := setup(t)
	me, err := b.signIn.Basic(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	err = b.whileChanging(func() error {
		return NewService(b.pool, b.signIn, "").ChangePassword(WithActor(t.Context(), me), password, "a bicycle made of rain")
	})
	if !problem.Is(err, problem.RuleViolated) {
		t.Errorf("got %v", err)
	}
	if _, err := b.signIn.Basic(t.Context(), email, "another one made of snow"); err != nil {
		t.Errorf("the password that was set meanwhile: %v", err)
	}
}

func TestChangePassword_IsTriedAFewTimesAMinute(t *testing.T) {
	b := setup(t)
	me, err := b.signIn.Basic(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	again := func() error {
		return NewService(b.pool, b.signIn, "").ChangePassword(WithActor(t.Context(), me), password, "short")
	}
	for range changeBurst {
		if err := again(); !problem.Is(err, problem.RuleViolated) {
			t.Fatalf("got %v", err)
		}
	}
	if e := problem.Of(again()); e == nil || e.Code != problem.TooManyRequests || e.RetryAfter <= 0 || e.RetryAfter > changeEvery {
		t.Errorf("got %v", e)
	}
}

// However many passwords are being set, there is a turn for who signs in; and nobody waits for ever.
func TestHashPassword_LeavesTurnsToThoseWhoSignIn(t *testing.T) {
	b := setup(t)
	for range cap(setting) {
		setting <- struct{}{}
	}
	defer func() {
		for range cap(setting) {
			<-setting
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := HashPassword(ctx, "a bicycle made of rain"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if cap(hashing) > 1 && cap(setting) >= cap(hashing) {
		t.Errorf("%d of %d turns may go to passwords that are set", cap(setting), cap(hashing))
	}
	if _, err := b.signIn.Basic(t.Context(), email, password); err != nil {
		t.Error(err)
	}
}
