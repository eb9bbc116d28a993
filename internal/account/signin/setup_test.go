package signin

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
)

const (
	email         = "admin@example.com"
	adminPassword = "correct horse"
	testWait      = time.Minute // limits each wait; what a test waits for happens much sooner, even on a busy machine
)

// statements counts the statements that a pool sends, without its pings and the listener's.
type statements struct {
	n       atomic.Int64
	bearers atomic.Int64 // of them, look-ups of access tokens
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	if q.SQL != "-- ping" {
		s.n.Add(1)
	}
	if strings.HasPrefix(q.SQL, "-- name: BearersByDigest") {
		s.bearers.Add(1)
	}
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// bundle is a database with an administrator, and a Service that runs.
type bundle struct {
	t       *testing.T
	pool    *pgxpool.Pool
	service *Service
	sent    *statements
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
	if _, err := account.Ensure(t.Context(), b.pool, email, adminPassword); err != nil {
		t.Fatal(err)
	}
	b.service = b.run()
	return b
}

// run starts a Service, as another node would, and returns when it listens.
func (b *bundle) run() *Service { return b.runOn(b.pool) }

// runOn is run with a pool for reviews.
func (b *bundle) runOn(reviews *pgxpool.Pool) *Service {
	b.t.Helper()
	s := New(Config{Pool: b.pool, Reviews: reviews, Log: slog.New(slog.NewTextHandler(b.t.Output(), nil))})
	ctx, cancel := context.WithCancel(b.t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	b.t.Cleanup(func() { cancel(); running.Wait() })
	b.until("the service to listen", func() bool { return s.cache.current() > 0 && s.origins.current.Load() != nil })
	return s
}

func (b *bundle) until(what string, done func() bool) {
	b.t.Helper()
	tick, end := time.NewTicker(5*time.Millisecond), time.After(testWait)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			b.t.Fatalf("timed out waiting for %s", what)
		}
	}
}

func (b *bundle) exec(statement string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.t.Context(), statement, args...); err != nil {
		b.t.Fatal(err)
	}
}

// signIn signs the administrator in by HTTP Basic.
func (b *bundle) signIn() account.Actor {
	b.t.Helper()
	actor, err := b.service.Basic(b.t.Context(), email, adminPassword)
	if err != nil {
		b.t.Fatal(err)
	}
	return actor
}

func (b *bundle) open() NewSession {
	b.t.Helper()
	session, err := b.service.Open(b.t.Context(), email, adminPassword, "a browser", "")
	if err != nil {
		b.t.Fatal(err)
	}
	return session
}

// caches reports whether credentials would be accepted without being verified.
func (s *Service) caches(email, password string) bool {
	_, _, ok := s.cache.get(s.cache.basic, s.credentials(email, password, byBasic).digest)
	return ok
}
