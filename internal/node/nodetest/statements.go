package nodetest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db/dbtest"
)

// statements notes the round trips of statements that requests make, and not those of the background: net/http leaves its mark in a request's context.
type Statements struct {
	mu    sync.Mutex
	named []string
}

func (s *Statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if ctx.Value(http.ServerContextKey) != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.named = append(s.named, nameOf(data.SQL))
	}
	return ctx
}

func (s *Statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart notes what goes to Postgres together as one: what costs is the way there and back.
func (s *Statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	if ctx.Value(http.ServerContextKey) != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		var names []string
		for _, query := range data.Batch.QueuedQueries {
			names = append(names, nameOf(query.SQL))
		}
		s.named = append(s.named, strings.Join(names, "+"))
	}
	return ctx
}

func (s *Statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (s *Statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func nameOf(sql string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(sql, "-- name: "), "\n")
	return first
}

// of runs do and returns the names of its requests' statements.
func (s *Statements) Of(do func()) []string {
	s.mu.Lock()
	s.named = nil
	s.mu.Unlock()
	do()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.named
}

// startTraced starts a node whose requests' statements are noted.
func StartTraced(t *testing.T) (*Node, *Statements) {
	t.Helper()
	config, err := pgxpool.ParseConfig(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	trace := &Statements{}
	config.ConnConfig.Tracer = trace
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return StartOn(t, pool), trace
}
