package account

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/problem"
)

func (b *bundle) open() NewSession {
	b.t.Helper()
	made, err := b.signIn.Open(b.t.Context(), email, password, "a browser", "")
	if err != nil {
		b.t.Fatal(err)
	}
	return made
}

func TestSession_IsRememberedAndEndsOnEveryNode(t *testing.T) {
	b := setup(t)
	other := b.run()
	made := b.open()
	for _, s := range []*SignIn{b.signIn, other} {
		if actor, err := s.Session(t.Context(), made.Token); err != nil || actor.Email != email {
			t.Fatalf("got %+v, %v", actor, err)
		}
	}
	before := b.sent.n.Load()
	for range 1000 {
		if _, err := b.signIn.Session(t.Context(), made.Token); err != nil {
			t.Fatal(err)
		}
	}
	if sent := b.sent.n.Load() - before; sent > 2 { // the listeners' pings
		t.Errorf("a thousand requests sent %d statements", sent)
	}
	if _, err := b.signIn.Basic(t.Context(), email, password); err != nil {
		t.Fatal(err)
	}
	if err := b.signIn.Close(t.Context(), made.Token, false); err != nil {
		t.Fatal(err)
	}
	if _, err := b.signIn.Session(t.Context(), made.Token); !problem.Is(err, problem.Unauthenticated) {
		t.Errorf("after signing out: %v", err)
	}
	b.until("the other node to forget", func() bool {
		_, err := other.Session(t.Context(), made.Token)
		return problem.Is(err, problem.Unauthenticated)
	})
	if !b.signIn.remembers(email, password) {
		t.Error("a password is verified again because somebody signed out")
	}
}

// What a stranger does, and a session that has ended already, costs those who are signed in nothing, on any node.
func TestSession_NothingIsForgottenWhereNoneHasEnded(t *testing.T) {
	b := setup(t)
	other := b.run()
	nodes := []*SignIn{b.signIn, other}
	var before []int
	for _, node := range nodes {
		before = append(before, node.heard())
	}
	for range 10 {
		if err := b.signIn.Close(t.Context(), "no such session", true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.signIn.Open(t.Context(), email, password, "a browser", "no such session"); err != nil {
		t.Fatal(err)
	}
	b.exec("UPDATE app_user SET name = 'another name'") // is heard of after all of the above
	for n, node := range nodes {
		b.until("the change to be heard of", func() bool { return node.heard() > before[n] })
		if heard := node.heard() - before[n]; heard != 1 {
			t.Errorf("node %d heard of %d changes", n, heard)
		}
	}
}

func TestSession_EndsWhenItIsIdleAndAtTheLatestInAWeek(t *testing.T) {
	b := setup(t)
	for name, statement := range map[string]string{
		"idle":     "UPDATE session SET used_at = now() - interval '12 hours 1 second'",
		"too old":  "UPDATE session SET expires_at = now() - interval '1 second'",
		"disabled": "UPDATE app_user SET active = false",
	} {
		made := b.open()
		if until := time.Until(made.Expires); until > sessionLasts || until < sessionLasts-time.Minute {
			t.Errorf("it lasts %s", until)
		}
		b.exec(statement)
		if _, err := b.signIn.Session(t.Context(), made.Token); !problem.Is(err, problem.Unauthenticated) {
			t.Errorf("%s: got %v", name, err)
		}
		b.exec("UPDATE app_user SET active = true")
		b.until("the change to be heeded", func() bool {
			_, err := b.signIn.Basic(t.Context(), email, password)
			return err == nil
		})
	}
}

func TestSession_WhatIsKeptOpenEndsWithIt(t *testing.T) {
	b := setup(t)
	made := b.open()
	actor, err := b.signIn.Session(t.Context(), made.Token)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	defer b.signIn.Watch(actor, func(err error) { ended <- err })()
	if err := b.signIn.Close(t.Context(), made.Token, false); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !problem.Is(err, problem.Unauthenticated) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("it stays open")
	}
}

func TestExpiry_TheAuditLogKeepsWhatIsYoungerThanItsTime(t *testing.T) {
	b := setup(t)
	s := NewSignIn(b.pool, slog.New(slog.DiscardHandler)) // one that does not run, and so takes another time to keep entries
	left := func() (names []string) {
		rows, err := b.pool.Query(t.Context(), "SELECT actor_name FROM audit WHERE action = 'test' ORDER BY at")
		if err != nil {
			t.Fatal(err)
		}
		if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
		return names
	}
	now := time.Now()
	for name, age := range map[string]time.Duration{"old": time.Hour + time.Second, "young": time.Hour - time.Second, "new": 0} {
		at := now.Add(-age)
		id := earliest(at)
		id[15] = 1
		if _, err := b.pool.Exec(t.Context(), `INSERT INTO audit SELECT $1, account_id, $2, NULL, $3, '', 'test', '', '{}' FROM app_user LIMIT 1`, id, at, name); err != nil {
			t.Fatal(err)
		}
	}
	s.KeepAudit = 0
	if err := s.dropExpired(t.Context(), now); err != nil || len(left()) != 3 {
		t.Errorf("without a limit: %v, %v", left(), err)
	}
	s.KeepAudit = time.Hour
	if err := s.dropExpired(t.Context(), now); err != nil || !slices.Equal(left(), []string{"young", "new"}) {
		t.Errorf("after an hour: %v, %v", left(), err)
	}
}
