package signin

import (
	"errors"
	"testing"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

func TestSession_IsCachedAndEndsOnEveryNode(t *testing.T) {
	b := setup(t)
	other := b.run()
	session := b.open()
	for _, s := range []*Service{b.service, other} {
		if actor, err := s.Session(t.Context(), session.Token); err != nil || actor.Email != email {
			t.Fatalf("got %+v, %v", actor, err)
		}
	}
	before := b.sent.n.Load()
	for range 1000 {
		if _, err := b.service.Session(t.Context(), session.Token); err != nil {
			t.Fatal(err)
		}
	}
	if sent := b.sent.n.Load() - before; sent > 0 {
		t.Errorf("a thousand requests sent %d statements", sent)
	}
	b.signIn()
	if err := b.service.Close(t.Context(), session.Token, false); err != nil {
		t.Fatal(err)
	}
	if _, err := b.service.Session(t.Context(), session.Token); !problem.Is(err, problem.Unauthenticated) {
		t.Errorf("after signing out: %v", err)
	}
	b.until("the other node to forget", func() bool {
		_, err := other.Session(t.Context(), session.Token)
		return problem.Is(err, problem.Unauthenticated)
	})
	if !b.service.caches(email, adminPassword) {
		t.Error("a password is verified again because the user signed out")
	}
}

// A stranger's requests, and sessions that have ended before, cost signed-in users nothing on any node.
func TestSession_NothingIsForgottenWhenNoSessionEnds(t *testing.T) {
	b := setup(t)
	nodes := []*Service{b.service, b.run()}
	var before []int
	for _, node := range nodes {
		before = append(before, node.cache.current())
	}
	for range 10 {
		if err := b.service.Close(t.Context(), "no such session", true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.service.Open(t.Context(), email, adminPassword, "a browser", "no such session"); err != nil {
		t.Fatal(err)
	}
	b.exec("UPDATE app_user SET name = 'another name'") // its notification comes after those of the above
	for n, node := range nodes {
		b.until("the notification", func() bool { return node.cache.current() > before[n] })
		if changes := node.cache.current() - before[n]; changes != 1 {
			t.Errorf("node %d was notified of %d changes", n, changes)
		}
	}
}

func TestSession_EndsWhenIdleAndAfterAWeek(t *testing.T) {
	b := setup(t)
	for name, statement := range map[string]string{
		"idle":     "UPDATE session SET used_at = now() - interval '12 hours 1 second'",
		"too old":  "UPDATE session SET expires_at = now() - interval '1 second'",
		"disabled": "UPDATE app_user SET active = false",
	} {
		session := b.open()
		if left := time.Until(session.Expires); left > defaultMaxAge || left < defaultMaxAge-time.Minute {
			t.Errorf("it lasts %s", left)
		}
		b.exec(statement)
		if _, err := b.service.Session(t.Context(), session.Token); !problem.Is(err, problem.Unauthenticated) {
			t.Errorf("%s: got %v", name, err)
		}
		b.exec("UPDATE app_user SET active = true")
		b.until("the change to take effect", func() bool {
			_, err := b.service.Basic(t.Context(), email, adminPassword)
			return err == nil
		})
	}
}

func TestOpen_RefusesAPasswordThatChangesMeanwhile(t *testing.T) {
	b := setup(t)
	err := b.whileChanging(func() error {
		_, err := b.service.Open(t.Context(), email, adminPassword, "a browser", "")
		return err
	})
	if !errors.Is(err, account.ErrCredentials) {
		t.Errorf("got %v", err)
	}
}
