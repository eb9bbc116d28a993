package account_test

import (
	"errors"
	"log/slog"
	"sync"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/problem"
)

func TestEnsure_ConcurrentFirstStartsCreateOneAccountAndReturnOnePassword(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	starts := make(chan *account.FirstStart, 4)
	var group sync.WaitGroup
	for range cap(starts) {
		group.Go(func() {
			first, err := account.Ensure(t.Context(), pool, "admin@example.com", "")
			if err != nil {
				t.Error(err)
			}
			starts <- first
		})
	}
	group.Wait()
	close(starts)
	var first *account.FirstStart
	for start := range starts {
		switch {
		case start != nil && first != nil:
			t.Error("two calls report a first start")
		case start != nil:
			first = start
		}
	}
	if first == nil || len(first.Password) < 20 {
		t.Fatalf("got %+v", first)
	}
	var accounts, users int
	err := pool.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM app_user)").
		Scan(&accounts, &users)
	if err != nil {
		t.Fatal(err)
	}
	if accounts != 1 || users != 1 {
		t.Errorf("there are %d accounts and %d users", accounts, users)
	}
	s := signin.New(signin.Config{Pool: pool, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if _, err := s.Basic(t.Context(), first.Email, first.Password); err != nil {
		t.Errorf("sign in with the returned password: %v", err)
	}
}

// A short password would be the way into a server that is on the internet from its first minute.
func TestEnsure_HoldsTheFirstAdministratorToTheRulesOfAllUsers(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for _, c := range []struct{ email, password, pointer string }{
		{"admin@example.com", "short", "#/password"},
		{"admin@example.com", "password1", "#/password"},
		{"admin@example.com", "admin@example.com", "#/password"},
		{"nobody", "", "#/email"},
	} {
		_, err := account.Ensure(t.Context(), pool, c.email, c.password)
		if p := problem.Of(err); p == nil || len(p.Faults) != 1 || p.Faults[0].Pointer != c.pointer {
			t.Errorf("%s with %q: got %v", c.email, c.password, err)
		}
	}
	if _, err := account.Operator(t.Context(), pool); !errors.Is(err, account.ErrNoAccount) {
		t.Errorf("an account was created: %v", err)
	}
}

func TestOperator_OnlyAMissingAccountAsksToStartTheServer(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	if _, err := account.Operator(t.Context(), pool); !errors.Is(err, account.ErrNoAccount) {
		t.Errorf("without an account: %v", err)
	}
	pool.Close()
	if _, err := account.Operator(t.Context(), pool); err == nil || errors.Is(err, account.ErrNoAccount) {
		t.Errorf("without a database: %v", err)
	}
}
