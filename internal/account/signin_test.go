package account

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/problem"
)

const (
	email    = "admin@example.com"
	password = "correct horse"
	patience = 20 * time.Second
)

// statements counts what a pool sends.
type statements struct{ n atomic.Int64 }

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.n.Add(1)
	return ctx
}
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// bundle is a database with an administrator, and a SignIn that runs.
type bundle struct {
	t      *testing.T
	pool   *pgxpool.Pool
	signIn *SignIn
	sent   *statements
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	config, err := pgxpool.ParseConfig(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{t: t, sent: &statements{}}
	config.ConnConfig.Tracer = b.sent
	if b.pool, err = pgxpool.NewWithConfig(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.pool.Close)
	if _, err := Ensure(t.Context(), b.pool, email, password); err != nil {
		t.Fatal(err)
	}
	b.signIn = b.run()
	return b
}

// run starts a SignIn, as another node would, and returns when it listens.
func (b *bundle) run() *SignIn {
	b.t.Helper()
	s := NewSignIn(b.pool, slog.New(slog.NewTextHandler(b.t.Output(), nil)))
	ctx, cancel := context.WithCancel(b.t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	b.t.Cleanup(func() { cancel(); running.Wait() })
	b.until("the SignIn to listen", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.generation > 0 })
	return s
}

func (b *bundle) until(what string, done func() bool) {
	b.t.Helper()
	tick, end := time.NewTicker(5*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			b.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (b *bundle) exec(statement string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.t.Context(), statement, args...); err != nil {
		b.t.Fatal(err)
	}
}

func TestSignIn_TakesTheRightPasswordAndNoOther(t *testing.T) {
	b := setup(t)
	actor, err := b.signIn.Basic(t.Context(), "ADMIN@example.com", password)
	if err != nil || actor.Email != email || actor.Role != "Administrator" || !actor.Permissions.Has(UsersManage) {
		t.Errorf("got %+v, %v", actor, err)
	}
	for _, c := range [][2]string{{email, "wrong"}, {email, ""}, {"nobody@example.com", password}, {"", ""}, {email, password + "\x00"}, {"a\x00b", "x"}} {
		if _, err := b.signIn.Basic(t.Context(), c[0], c[1]); !problem.Is(err, problem.Unauthenticated) {
			t.Errorf("%q: got %v", c, err)
		}
	}
}

func TestSignIn_ARememberedPasswordCostsNoStatement(t *testing.T) {
	b := setup(t)
	if _, err := b.signIn.Basic(t.Context(), email, password); err != nil {
		t.Fatal(err)
	}
	before := b.sent.n.Load() // the listener's pings are on a connection of its own, with the same tracer
	for range 1000 {
		if _, err := b.signIn.Basic(t.Context(), email, password); err != nil {
			t.Fatal(err)
		}
	}
	if sent := b.sent.n.Load() - before; sent > 2 {
		t.Errorf("a thousand sign-ins sent %d statements", sent)
	}
}

// remembers reports whether a password would be taken without being verified.
func (s *SignIn) remembers(email, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	actor, ok := s.known.Get(s.digest(email, password))
	return ok && s.holds(actor)
}

// heard is of how many changes a node has heard.
func (s *SignIn) heard() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generation
}

func (b *bundle) another(email string) {
	b.t.Helper()
	b.exec("INSERT INTO app_user (id, account_id, role_id, email, password_hash) SELECT gen_random_uuid(), account_id, role_id, $1, password_hash FROM app_user LIMIT 1", email)
}

// A user who changes all the time costs nobody else anything.
func TestSignIn_ForgetsOfAUserWhoChangesAndOfNobodyElse(t *testing.T) {
	b := setup(t)
	b.another("ada@example.com")
	for _, address := range []string{email, "ada@example.com"} {
		if _, err := b.signIn.Basic(t.Context(), address, password); err != nil {
			t.Fatal(err)
		}
	}
	session := b.open()
	if _, err := b.signIn.Session(t.Context(), session.Token); err != nil {
		t.Fatal(err)
	}
	before := b.signIn.heard()
	b.exec("UPDATE app_user SET name = 'Ada' WHERE email = 'ada@example.com'")
	b.until("the change to be heard of", func() bool { return b.signIn.heard() > before })
	if b.signIn.remembers("ada@example.com", password) {
		t.Error("what has changed is remembered")
	}
	if !b.signIn.remembers(email, password) {
		t.Error("another user's password is verified again")
	}
	sent := b.sent.n.Load()
	for range 100 {
		if _, err := b.signIn.Session(t.Context(), session.Token); err != nil {
			t.Fatal(err)
		}
	}
	if sent := b.sent.n.Load() - sent; sent > 2 { // the listener's pings
		t.Errorf("another user's session is looked up again: %d statements", sent)
	}
	for range rememberMost { // of whom there are too many, everybody is one
		b.signIn.forgetUser(uuid.New())
	}
	if b.signIn.remembers(email, password) || len(b.signIn.users) >= rememberMost {
		t.Errorf("%d users are kept as changed", len(b.signIn.users))
	}
}

func TestSignIn_ForgetsOnEveryNodeWithinASecondOfAChange(t *testing.T) {
	for name, c := range map[string]struct {
		change  string
		refused func(Actor, error) bool
	}{
		"deactivated":      {"UPDATE app_user SET active = false", func(_ Actor, err error) bool { return problem.Is(err, problem.Unauthenticated) }},
		"another password": {"UPDATE app_user SET password_hash = (SELECT password_hash FROM app_user) || 'x'", func(_ Actor, err error) bool { return err != nil }},
		"deleted":          {"DELETE FROM app_user", func(_ Actor, err error) bool { return problem.Is(err, problem.Unauthenticated) }},
		"role narrowed":    {"UPDATE role SET permissions = '{api.access}'", func(a Actor, err error) bool { return err == nil && !a.Permissions.Has(ItemsView) }},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			nodes := []*SignIn{b.signIn, b.run()}
			generations := make([]int, len(nodes))
			for n, node := range nodes {
				if _, err := node.Basic(t.Context(), email, password); err != nil {
					t.Fatal(err)
				}
				node.mu.Lock()
				generations[n] = node.generation
				node.mu.Unlock()
			}
			start := time.Now()
			b.exec(c.change)
			for n, node := range nodes {
				b.until("the node to forget", func() bool { node.mu.Lock(); defer node.mu.Unlock(); return node.generation > generations[n] })
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("it took %v", took)
			}
			for _, node := range nodes {
				if actor, err := node.Basic(t.Context(), email, password); !c.refused(actor, err) {
					t.Errorf("got %+v, %v", actor, err)
				}
			}
		})
	}
}

// With every turn at argon2id taken, nobody is answered: whether an address is known does not show in what an answer costs.
func TestSignIn_UnknownAddressAndWrongPasswordBothPayForArgon2(t *testing.T) {
	b := setup(t)
	_, _ = b.signIn.Basic(t.Context(), "nobody@example.com", "x") // makes the decoy
	b.exec("INSERT INTO app_user SELECT gen_random_uuid(), account_id, role_id, 'off@example.com', '', password_hash, false FROM app_user LIMIT 1")
	for range cap(hashing) {
		hashing <- struct{}{}
	}
	defer func() {
		for range cap(hashing) {
			<-hashing
		}
	}()
	for _, address := range []string{"nobody@example.com", email, "off@example.com"} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := b.signIn.Basic(ctx, address, "wrong")
		cancel()
		if problem.Is(err, problem.Unauthenticated) {
			t.Errorf("%s is answered without a turn at argon2id", address)
		}
	}
}

func TestEnsure_FourAtOnceMakeOneAccountAndTellOneRandomPassword(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	told := make(chan *FirstStart, 4)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			first, err := Ensure(t.Context(), pool, email, "")
			if err != nil {
				t.Error(err)
			}
			told <- first
		})
	}
	group.Wait()
	close(told)
	var first *FirstStart
	for f := range told {
		switch {
		case f != nil && first != nil:
			t.Error("two were told of a first start")
		case f != nil:
			first = f
		}
	}
	if first == nil || len(first.Password) < 20 {
		t.Fatalf("got %+v", first)
	}
	var accounts, users int
	if err := pool.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM app_user)").Scan(&accounts, &users); err != nil {
		t.Fatal(err)
	}
	if accounts != 1 || users != 1 {
		t.Errorf("there are %d accounts and %d users", accounts, users)
	}
	s := NewSignIn(pool, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if _, err := s.Basic(t.Context(), email, first.Password); err != nil {
		t.Errorf("the password that was told: %v", err)
	}
}

// Who keeps something open is told, on every node, as soon as the user may do otherwise; a change costs one statement, and nobody's password is
// verified again.
func TestWatch_TellsOfChangesOnEveryNode(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		told      error
	}{
		"a permission": {"UPDATE role SET permissions = ARRAY['api.access']", nil},
		"api.access":   {"UPDATE role SET permissions = ARRAY['items.view']", forbidden(APIAccess)},
		"switched off": {"UPDATE app_user SET active = false", errCredentials},
		"the password": {"UPDATE app_user SET password_hash = password_hash || 'x'", errCredentials},
		"the address":  {"UPDATE app_user SET email = 'someone.else@example.com'", errCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			told := make(chan error, 100)
			for _, node := range []*SignIn{b.signIn, b.run()} {
				actor, err := node.Basic(t.Context(), email, password)
				if err != nil {
					t.Fatal(err)
				}
				for range 10 {
					node.Watch(actor, func(err error) { told <- err })
				}
				stop := node.Watch(actor, func(error) { t.Error("told after it was stopped") })
				stop()
			}
			if _, err := b.pool.Exec(t.Context(), "UPDATE app_user SET name = 'another name'"); err != nil { // which changes no rights
				t.Fatal(err)
			}
			if _, err := b.pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				select {
				case err := <-told:
					if (err == nil) != (c.told == nil) || err != nil && err.Error() != c.told.Error() {
						t.Errorf("told %v, want %v", err, c.told)
					}
				case <-time.After(patience):
					t.Fatal("nobody is told")
				}
			}
		})
	}
}

// A change between the sign-in and the watch is told all the same.
func TestWatch_MissesNothingSinceTheSignIn(t *testing.T) {
	b := setup(t)
	actor, err := b.signIn.Basic(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	b.signIn.mu.Lock()
	before := b.signIn.generation
	b.signIn.mu.Unlock()
	if _, err := b.pool.Exec(t.Context(), "UPDATE app_user SET active = false"); err != nil {
		t.Fatal(err)
	}
	b.until("the change to be heard of", func() bool { b.signIn.mu.Lock(); defer b.signIn.mu.Unlock(); return b.signIn.generation > before })
	told := make(chan error, 1)
	b.signIn.Watch(actor, func(err error) { told <- err })
	select {
	case err := <-told:
		if !errors.Is(err, errCredentials) {
			t.Errorf("told %v", err)
		}
	case <-time.After(patience):
		t.Error("is not told")
	}
}
