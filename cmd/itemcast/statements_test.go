package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db/dbtest"
)

// statements notes the statements of requests. Those of a node's background are told apart by their names.
type statements struct {
	mu    sync.Mutex
	on    bool
	named []string
}

var background = []string{"Head", "ReadAfter", "LockConsumer", "ConsumerPosition", "Due", "Claim", "Sweep", "Gaps", "Sequence", "Partition", "Extend", "Renew", "Stale"}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on {
		first, _, _ := strings.Cut(strings.TrimPrefix(data.SQL, "-- name: "), "\n")
		s.named = append(s.named, first)
	}
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// of runs do and returns the names of its statements, those from the background left out.
func (s *statements) of(do func()) (named []string) {
	s.mu.Lock()
	s.on, s.named = true, nil
	s.mu.Unlock()
	do()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = false
	for _, name := range s.named {
		if !backgroundStatement(name) {
			named = append(named, name)
		}
	}
	return named
}

func backgroundStatement(name string) bool {
	for _, part := range background {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// Design §11's budget: a request costs as many statements as its hand-written twin.
func TestStatements_ARequestCostsNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	trace := &statements{}
	config.ConnConfig.Tracer = trace
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	n := startNodeOn(t, pool)
	path := ""
	for i := range 60 {
		made := n.call(http.MethodPost, "/api/v1/items", fmt.Sprintf(`{"name":"item %d","tags":["a","b"],"assets":[{"kind":"source","url":"https://example.com/%d","content_type":"video/mp4"}]}`, i, i))
		path = "/api/v1/items/" + made.expect(t, http.StatusCreated).field(t, "id")
	}
	for name, c := range map[string]struct {
		most int
		do   func()
	}{
		"get":       {1, func() { n.call(http.MethodGet, path, "").expect(t, http.StatusOK) }},
		"list":      {1, func() { n.call(http.MethodGet, "/api/v1/items?limit=50", "").expect(t, http.StatusOK) }},
		"history":   {1, func() { n.call(http.MethodGet, path+"/history", "").expect(t, http.StatusOK) }},
		"patch":     {5, func() { n.call(http.MethodPatch, path, `{"name":"other"}`).expect(t, http.StatusOK) }}, // BEGIN, lock, UPDATE, the change, COMMIT
		"no change": {3, func() { n.call(http.MethodPatch, path, `{}`).expect(t, http.StatusOK) }},
		"GraphQL": {3, func() {
			n.graphql(`{ items(first: 50) { nodes { id name tags assets { url } createdBy { name } } } }`, nil)
		}},
		"GraphQL items by id": {1, func() { n.graphql(`{ a: item(id: "`+path[len("/api/v1/items/"):]+`") { id } b: item(id: "`+path[len("/api/v1/items/"):]+`") { name } }`, nil) }},
	} {
		fewest, seen := 1_000, []string(nil)
		for range 5 { // whatever the background does meanwhile is not in all of them
			if named := trace.of(c.do); len(named) < fewest {
				fewest, seen = len(named), named
			}
		}
		if name == "patch" { // the repeats change nothing
			seen = trace.of(func() { n.call(http.MethodPatch, path, `{"name":"one more"}`).expect(t, http.StatusOK) })
			fewest = len(seen)
		}
		t.Logf("%s: %d statements: %q", name, fewest, seen)
		if fewest > c.most {
			t.Errorf("%s: %d statements, at most %d are allowed: %q", name, fewest, c.most, seen)
		}
	}
}
