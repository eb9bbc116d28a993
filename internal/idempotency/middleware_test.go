package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/contract"
	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/idempotency"
	"itemcast/internal/problem"
	"log/slog"
)

// bundle is an account with a user, and a handler that does one thing: it makes a role.
type bundle struct {
	pool          *pgxpool.Pool
	account, user uuid.UUID
	patience      time.Duration
	refusal       error // of the user
	runs          atomic.Int32
	inside        func(ctx context.Context, w http.ResponseWriter) error // what else the handler does, after its work
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{pool: dbtest.New(t), account: uuid.New(), user: uuid.New(), patience: 20 * time.Second}
	role := uuid.New()
	for _, err := range []error{
		dbtest.InsertAccount(t.Context(), b.pool, b.account, "a"),
		dbtest.InsertRole(t.Context(), b.pool, role, b.account, "first"),
		dbtest.InsertUser(t.Context(), b.pool, dbtest.User{ID: b.user, Account: b.account, Role: role, Email: "a@b.c"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

var problems = contract.NewProblems(slog.New(slog.DiscardHandler))

// node is one server of several on the same database.
func (b *bundle) node() http.Handler {
	caller := func(*http.Request) (uuid.UUID, uuid.UUID, error) { return b.account, b.user, b.refusal }
	return problems.Recover(idempotency.Middleware(b.pool, caller, b.patience, problems)(http.HandlerFunc(b.handle)))
}

func (b *bundle) handle(w http.ResponseWriter, r *http.Request) {
	id := uuid.New()
	err := db.Write(r.Context(), b.pool, func(ctx context.Context, tx pgx.Tx) error {
		return dbtest.InsertRole(ctx, tx, id, b.account, fmt.Sprint("role ", b.runs.Add(1)))
	})
	if err == nil && b.inside != nil {
		err = b.inside(r.Context(), w)
	}
	if err != nil {
		problems.Write(w, r, err)
		return
	}
	w.Header().Set("Location", "/roles/"+id.String())
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":%q}`, id)
}

// made is how many roles the handler has made for good.
func (b *bundle) made(t *testing.T) int {
	t.Helper()
	var n int
	if err := b.pool.QueryRow(t.Context(), "SELECT count(*) - 1 FROM role").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func post(ctx context.Context, node http.Handler, target, key, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, "POST", target, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	node.ServeHTTP(w, request)
	return w
}

func code(w *httptest.ResponseRecorder) string {
	var shown struct{ Code string }
	_ = json.Unmarshal(w.Body.Bytes(), &shown)
	return shown.Code
}

func TestMiddleware_ParallelRepeatsOnTwoNodesDoTheThingOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	nodes := []http.Handler{b.node(), b.node()}
	answers := make([]*httptest.ResponseRecorder, 20)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = post(t.Context(), nodes[i%2], "/roles", "k", "{}") })
	}
	all.Wait()
	first, replayed := answers[0], 0
	for _, w := range answers {
		if w.Code != 201 || w.Body.String() != first.Body.String() || w.Header().Get("Location") != first.Header().Get("Location") {
			t.Errorf("got %d %s %v", w.Code, w.Body, w.Header())
		}
		if w.Header().Get("Idempotent-Replayed") == "true" {
			replayed++
		}
	}
	if b.runs.Load() != 1 || b.made(t) != 1 || replayed != 19 {
		t.Errorf("%d runs, %d roles, %d replays", b.runs.Load(), b.made(t), replayed)
	}
}

func TestMiddleware_KeyIsForOneRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	node := b.node()
	post(t.Context(), node, "/roles?a=1", "k", `{"a":1}`)
	for _, other := range [][2]string{{"/roles?a=1", `{"a":2}`}, {"/roles?a=2", `{"a":1}`}, {"/other?a=1", `{"a":1}`}, {"/roles?a=1", ""}} {
		if w := post(t.Context(), node, other[0], "k", other[1]); w.Code != 422 || code(w) != "IDEMPOTENCY_KEY_REUSED" {
			t.Errorf("%v: %d %s", other, w.Code, w.Body)
		}
	}
	if w := post(t.Context(), node, "/roles?a=1", "another", `{"a":1}`); w.Code != 201 || b.made(t) != 2 {
		t.Errorf("another key: %d %s", w.Code, w.Body)
	}
	if post(t.Context(), node, "/roles", "", "{}"); b.made(t) != 3 {
		t.Error("without a key, nothing was done")
	}
}

func TestMiddleware_FailureIsNotKept(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(context.Context, http.ResponseWriter) error{
		"an error": func(context.Context, http.ResponseWriter) error { return errors.New("no") },
		"a status": func(_ context.Context, w http.ResponseWriter) error { w.WriteHeader(http.StatusConflict); return nil },
		"a panic":  func(context.Context, http.ResponseWriter) error { panic("no") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			node := b.node()
			b.inside = fail
			if w := post(t.Context(), node, "/roles", "k", "{}"); w.Code < 400 || b.made(t) != 0 {
				t.Fatalf("%d %s, %d roles", w.Code, w.Body, b.made(t))
			}
			b.inside = nil
			// Even another request may take the key: it stands for nothing yet.
			if w := post(t.Context(), node, "/roles", "k", `{"better":true}`); w.Code != 201 || b.made(t) != 1 {
				t.Errorf("the retry: %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestMiddleware_FailedPartThatTheHandlerHidesIsNotKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.inside = func(ctx context.Context, _ http.ResponseWriter) error {
		_ = db.Write(ctx, b.pool, func(context.Context, pgx.Tx) error { return errors.New("no") })
		return nil
	}
	if w := post(t.Context(), b.node(), "/roles", "k", "{}"); w.Code != 500 || b.made(t) != 0 {
		t.Errorf("%d %s, %d roles", w.Code, w.Body, b.made(t))
	}
}

func TestMiddleware_ServerThatDiesInTheMiddleLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.inside = func(ctx context.Context, _ http.ResponseWriter) error { // Postgres sees the same when the process is killed
		_, err := b.pool.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "+
			"AND state = 'idle in transaction'")
		return err
	}
	if w := post(t.Context(), b.node(), "/roles", "k", "{}"); w.Code != 503 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	b.inside = nil
	if w := post(t.Context(), b.node(), "/roles", "k", "{}"); w.Code != 201 || w.Header().Get("Idempotent-Replayed") != "" || b.made(t) != 1 {
		t.Errorf("the retry: %d %s", w.Code, w.Body)
	}
}

func TestMiddleware_RepeatDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	for name, sameNode := range map[string]bool{"on one node": true, "on two nodes": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.patience = 50 * time.Millisecond
			first, second := b.node(), b.node()
			if sameNode {
				second = first
			}
			started, end := make(chan struct{}), make(chan struct{})
			b.inside = func(context.Context, http.ResponseWriter) error {
				close(started)
				<-end
				return nil
			}
			var running sync.WaitGroup
			running.Go(func() {
				if w := post(t.Context(), first, "/roles", "k", "{}"); w.Code != 201 {
					t.Errorf("the first: %d %s", w.Code, w.Body)
				}
			})
			<-started
			if w := post(t.Context(), second, "/roles", "k", "{}"); w.Code != 409 || code(w) != "IDEMPOTENCY_KEY_IN_USE" {
				t.Errorf("the second: %d %s", w.Code, w.Body)
			}
			close(end)
			running.Wait()
			if w := post(t.Context(), second, "/roles", "k", "{}"); w.Code != 201 || w.Header().Get("Idempotent-Replayed") != "true" {
				t.Errorf("the third: %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestMiddleware_StreamsPassThrough(t *testing.T) {
	t.Parallel()
	b := setup(t)
	node := b.node()
	for range 2 {
		request := httptest.NewRequest(http.MethodPost, "/roles", strings.NewReader("{}\n{}\n"))
		request.Header.Set("Content-Type", "application/x-ndjson")
		request.Header.Set("Idempotency-Key", "k")
		node.ServeHTTP(httptest.NewRecorder(), request)
	}
	if b.made(t) != 2 {
		t.Errorf("streams did %d things", b.made(t))
	}
}

// What a user could do once is not told again to who may not do it any more.
func TestMiddleware_RefusesWhoMayNotAlsoWhereThereIsAnAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	node := b.node()
	post(t.Context(), node, "/roles", "k", "{}")
	b.refusal = problem.New(problem.Forbidden, "No.")
	for _, key := range []string{"k", "another"} {
		if w := post(t.Context(), node, "/roles", key, "{}"); w.Code != 403 || code(w) != "FORBIDDEN" || w.Header().Get("Idempotent-Replayed") != "" {
			t.Errorf("with the key %s: %d %s", key, w.Code, w.Body)
		}
	}
	if b.runs.Load() != 1 {
		t.Errorf("%d runs", b.runs.Load())
	}
}

// However many requests with keys there are, and however long each takes, others find a connection, and who comes beyond is told to come again.
func TestMiddleware_NeverTakesTheWholePool(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.patience = 50 * time.Millisecond
	node := b.node()
	arrived, end := make(chan struct{}), make(chan struct{})
	b.inside = func(context.Context, http.ResponseWriter) error {
		arrived <- struct{}{}
		<-end
		return nil
	}
	all := int(b.pool.Config().MaxConns)
	answers := make(chan *httptest.ResponseRecorder, all)
	for i := range all {
		go func() { answers <- post(t.Context(), node, "/roles", fmt.Sprint("k", i), "{}") }()
	}
	inside := 0
	for refused := 0; inside+refused < all; {
		select {
		case <-arrived:
			inside++
		case w := <-answers:
			refused++
			if w.Code != 503 || code(w) != "UNAVAILABLE" || w.Header().Get("Retry-After") == "" {
				t.Errorf("beyond the places: %d %s", w.Code, w.Body)
			}
		}
	}
	if inside == all {
		t.Errorf("all %d connections are taken", all)
	} else if b.made(t) != 0 { // it asks by one of the others
		t.Error("a role is there before its answer")
	}
	close(end)
	for range inside {
		if w := <-answers; w.Code != 201 {
			t.Errorf("inside: %d %s", w.Code, w.Body)
		}
	}
	b.inside = nil
	if w := post(t.Context(), node, "/roles", "k", "{}"); w.Code != 201 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

// Whoever reads the database, or a backup of it, reads neither a key, nor what was asked under it, nor what was answered.
func TestMiddleware_WhatIsKeptIsSealed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.inside = func(_ context.Context, w http.ResponseWriter) error {
		w.Header().Set("X-Secret", "in-the-header")
		_, err := w.Write([]byte(`"in-the-answer"`))
		return err
	}
	first := post(t.Context(), b.node(), "/roles", "in-the-key", `{"password":"in-the-body"}`)
	if again := post(t.Context(), b.node(), "/roles", "in-the-key", `{"password":"in-the-body"}`); again.Body.String() != first.Body.String() || !strings.Contains(again.Body.String(), "in-the-answer") {
		t.Errorf("the repeat got %s, want %s", again.Body, first.Body)
	}
	rows, err := b.pool.Query(t.Context(), "SELECT encode(r::text::bytea, 'escape') || encode(r.answer, 'escape') FROM idempotency_key r")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(kept) != 1 || len(kept[0]) < 100 {
		t.Fatalf("%d rows are kept: %q, %v", len(kept), kept, err)
	}
	if strings.Contains(kept[0], "in-the-") {
		t.Errorf("%s is kept", kept[0])
	}
}
