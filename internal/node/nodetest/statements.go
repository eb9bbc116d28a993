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

// Statements records the round trips to Postgres that requests make. It leaves out the node's background work, whose
// contexts lack net/http's mark, and the pings of connections that were idle for a second.
type Statements struct {
	mu    sync.Mutex
	names []string
}

// StartTraced starts a node whose requests' statements are recorded.
func StartTraced(t testing.TB) (*Node, *Statements) {
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

// During runs do and returns the names of its statements, one for each round trip: a batch's are joined by "+".
func (s *Statements) During(do func()) []string {
	s.mu.Lock()
	s.names = nil
	s.mu.Unlock()
	do()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names
}

// TraceQueryStart is called by pgx.
func (s *Statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.record(ctx, nameOf(data.SQL))
	return ctx
}

// TraceBatchStart is called by pgx.
func (s *Statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	var names []string
	for _, query := range data.Batch.QueuedQueries {
		names = append(names, nameOf(query.SQL))
	}
	s.record(ctx, strings.Join(names, "+"))
	return ctx
}

// TraceQueryEnd is called by pgx.
func (s *Statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchQuery is called by pgx.
func (s *Statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd is called by pgx.
func (s *Statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (s *Statements) record(ctx context.Context, name string) {
	if ctx.Value(http.ServerContextKey) == nil || name == "-- ping" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names = append(s.names, name)
}

// nameOf returns the name that sqlc has put before a query.
func nameOf(sql string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(sql, "-- name: "), "\n")
	return first
}
