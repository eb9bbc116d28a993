package signin

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// A watch ends on every node as soon as the user's rights change. Nobody's password is verified again.
func TestWatch_ReportsChangesOnEveryNode(t *testing.T) {
	_, noAccess := account.Authorize(account.WithActor(t.Context(), account.Actor{}))
	for name, c := range map[string]struct {
		statement string
		want      error // nil: a new sign-in succeeds
	}{
		"a permission": {"UPDATE role SET permissions = ARRAY['api.access']", nil},
		"api.access":   {"UPDATE role SET permissions = ARRAY['items.view']", noAccess},
		"switched off": {"UPDATE app_user SET active = false", account.ErrCredentials},
		"the password": {"UPDATE app_user SET password_hash = password_hash || 'x'", account.ErrCredentials},
		"the address":  {"UPDATE app_user SET email = 'someone.else@example.com'", account.ErrCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			reasons := make(chan error, 100)
			for _, node := range []*Service{b.service, b.run()} {
				actor, err := node.Basic(t.Context(), email, adminPassword)
				if err != nil {
					t.Fatal(err)
				}
				for range 10 {
					node.Watch(actor, func(err error) { reasons <- err })
				}
				node.Watch(actor, func(error) { t.Error("called after it was stopped") })()
			}
			b.exec("UPDATE app_user SET name = 'another name'") // changes no rights
			b.exec(c.statement)
			for range 20 {
				select {
				case err := <-reasons:
					if (err == nil) != (c.want == nil) || err != nil && err.Error() != c.want.Error() {
						t.Errorf("got %v, want %v", err, c.want)
					}
				case <-time.After(testWait):
					t.Fatal("no change is reported")
				}
			}
		})
	}
}

func TestWatch_ReportsAChangeBetweenTheSignInAndTheWatch(t *testing.T) {
	b := setup(t)
	actor := b.signIn()
	before := b.service.cache.current()
	b.exec("UPDATE app_user SET active = false")
	b.until("the notification", func() bool { return b.service.cache.current() > before })
	reasons := make(chan error, 1)
	b.service.Watch(actor, func(err error) { reasons <- err })
	select {
	case err := <-reasons:
		if !errors.Is(err, account.ErrCredentials) {
			t.Errorf("got %v", err)
		}
	case <-time.After(testWait):
		t.Error("the change is not reported")
	}
}

func TestWatch_EndsWithTheSession(t *testing.T) {
	b := setup(t)
	session := b.open()
	actor, err := b.service.Session(t.Context(), session.Token)
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(chan error, 1)
	defer b.service.Watch(actor, func(err error) { reasons <- err })()
	if err := b.service.Close(t.Context(), session.Token, false); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-reasons:
		if !problem.Is(err, problem.Unauthenticated) {
			t.Errorf("got %v", err)
		}
	case <-time.After(testWait):
		t.Fatal("the watch outlives its session")
	}
}

// Requests can hold every connection of their pool for seconds.
func TestWatch_ReportsAChangeWhileRequestsHoldAllConnections(t *testing.T) {
	b := setup(t)
	reviews, err := pgxpool.NewWithConfig(t.Context(), b.pool.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reviews.Close)
	s := b.runOn(reviews)
	actor, err := s.Basic(t.Context(), email, adminPassword)
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(chan error, 1)
	defer s.Watch(actor, func(err error) { reasons <- err })()
	for range b.pool.Config().MaxConns {
		held, err := b.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer held.Release()
	}
	if _, err := reviews.Exec(t.Context(), "UPDATE app_user SET active = false"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-reasons:
		if !errors.Is(err, account.ErrCredentials) {
			t.Errorf("got %v", err)
		}
	case <-time.After(testWait):
		t.Error("the change is not reported")
	}
}
