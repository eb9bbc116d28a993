package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db/dbtest"
)

// statements notes the round trips of statements that requests make, and not those of the background: net/http leaves its mark in a request's context.
type statements struct {
	mu    sync.Mutex
	named []string
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if ctx.Value(http.ServerContextKey) != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.named = append(s.named, nameOf(data.SQL))
	}
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart notes what goes to Postgres together as one: what costs is the way there and back.
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
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

func (s *statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func nameOf(sql string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(sql, "-- name: "), "\n")
	return first
}

// of runs do and returns the names of its requests' statements.
func (s *statements) of(do func()) []string {
	s.mu.Lock()
	s.named = nil
	s.mu.Unlock()
	do()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.named
}

// startTraced starts a node whose requests' statements are noted.
func startTraced(t *testing.T) (*testNode, *statements) {
	t.Helper()
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
	return startNodeOn(t, pool), trace
}

// Design §11's budget: a request costs as many statements as its hand-written twin.
func TestStatements_ARequestCostsNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	n, trace := startTraced(t)
	path := ""
	for i := range 60 {
		made := n.call(http.MethodPost, "/api/v1/items", fmt.Sprintf(`{"name":"item %d","tags":["a","b"],"assets":[{"kind":"source","url":"https://example.com/%d","content_type":"video/mp4"}]}`, i, i))
		path = "/api/v1/items/" + made.expect(t, http.StatusCreated).field(t, "id")
	}
	await(t, func() bool { // until it has its position
		return strings.Contains(string(n.call(http.MethodGet, path+"/history", "").expect(t, http.StatusOK).body), "CREATED")
	})
	browser := n.browser()
	n.signInAs(browser, adminEmail, adminPassword)
	cookie := []string{"Authorization", "", "Cookie", n.cookies(browser)}
	page := func(path string, status int) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", "text/html")
		response, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if _ = response.Body.Close(); response.StatusCode != status {
			t.Errorf("the page %s answers %d", path, response.StatusCode)
		}
	}
	n.call(http.MethodGet, "/api/v1/me", "", cookie...).expect(t, http.StatusOK) // from now on the session is remembered
	for name, c := range map[string]struct {
		most int
		do   func()
	}{
		"get by session": {1, func() { n.call(http.MethodGet, path, "", cookie...).expect(t, http.StatusOK) }},
		"page":           {1, func() { page(path, http.StatusOK) }},
		"page of a list": {1, func() { page("/api/v1/items?limit=50", http.StatusOK) }},
		"page of an error": {1, func() {
			page("/api/v1/items/"+uuid.NewString(), http.StatusNotFound)
		}},
		"page of a form": {0, func() {
			page("/api/v1/me/password", http.StatusMethodNotAllowed)
		}},
		"get":     {1, func() { n.call(http.MethodGet, path, "").expect(t, http.StatusOK) }},
		"create":  {3, func() { n.call(http.MethodPost, "/api/v1/items", `{"name":"one more"}`).expect(t, http.StatusCreated) }},
		"list":    {1, func() { n.call(http.MethodGet, "/api/v1/items?limit=50", "").expect(t, http.StatusOK) }},
		"history": {1, func() { n.call(http.MethodGet, path+"/history", "").expect(t, http.StatusOK) }},
		// BEGIN with the lock; the update and the change with COMMIT.
		"patch":     {2, func() { n.call(http.MethodPatch, path, `{"name":"other"}`).expect(t, http.StatusOK) }},
		"no change": {2, func() { n.call(http.MethodPatch, path, `{}`).expect(t, http.StatusOK) }},
		"GraphQL": {3, func() {
			n.graphql(`{ items(first: 50) { nodes { id name tags assets { url } createdBy { name } } } }`, nil)
		}},
		"list of nothing":         {1, func() { n.call(http.MethodGet, "/api/v1/items?tags=none", "").expect(t, http.StatusOK) }},
		"GraphQL with its cursor": {1, func() { n.graphql(`{ items(first: 50) { changeCursor nodes { id name } } }`, nil) }},
		"GraphQL items by id": {1, func() {
			n.graphql(`{ a: item(id: "`+path[len("/api/v1/items/"):]+`") { id } b: item(id: "`+path[len("/api/v1/items/"):]+`") { name } }`, nil)
		}},
	} {
		if named := trace.of(c.do); len(named) > c.most {
			t.Errorf("%s: %d statements, at most %d are allowed: %q", name, len(named), c.most, named)
		}
	}
}
