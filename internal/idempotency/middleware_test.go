package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/problem"
)

func TestMiddleware_ParallelRepetitionsOnTwoNodesRunTheHandlerOnce(t *testing.T) {
	b := setup(t)
	nodes := []http.Handler{b.node(), b.node()}
	responses := make([]*httptest.ResponseRecorder, 20)
	var group sync.WaitGroup
	for i := range responses {
		group.Go(func() { responses[i] = post(t.Context(), nodes[i%2], "/roles", "k", "{}") })
	}
	group.Wait()
	first, replays := responses[0], 0
	for _, w := range responses {
		wantStatus(t, "a repetition", w, 201, "")
		if w.Body.String() != first.Body.String() || w.Header().Get("Location") != first.Header().Get("Location") {
			t.Errorf("the responses differ: %s %v, %s %v", first.Body, first.Header(), w.Body, w.Header())
		}
		if isReplay(w) {
			replays++
		}
	}
	if b.runs.Load() != 1 || b.created(t) != 1 || replays != 19 {
		t.Errorf("%d runs, %d roles, %d replays", b.runs.Load(), b.created(t), replays)
	}
}

func TestMiddleware_AKeyBelongsToOneRequest(t *testing.T) {
	b := setup(t)
	node := b.node()
	post(t.Context(), node, "/roles?a=1", "k", `{"a":1}`)
	for _, other := range [][2]string{
		{"/roles?a=1", `{"a":2}`}, {"/roles?a=2", `{"a":1}`}, {"/other?a=1", `{"a":1}`}, {"/roles?a=1", ""},
	} {
		w := post(t.Context(), node, other[0], "k", other[1])
		wantStatus(t, fmt.Sprint(other), w, 422, "IDEMPOTENCY_KEY_REUSED")
	}
	wantStatus(t, "another key", post(t.Context(), node, "/roles?a=1", "another", `{"a":1}`), 201, "")
	wantStatus(t, "no key", post(t.Context(), node, "/roles", "", "{}"), 201, "")
	if b.created(t) != 3 {
		t.Errorf("%d roles", b.created(t))
	}
}

// A response to a wider token, or to a wider filter of the same token, would show what the token does not see.
func TestMiddleware_AKeyBelongsToOneTokenAndItsFilter(t *testing.T) {
	b := setup(t)
	node := b.node()
	for _, token := range []uuid.UUID{uuid.Nil, uuid.New(), uuid.New()} {
		b.token = token
		for n := range 2 {
			w := post(t.Context(), node, "/roles", "k", "{}")
			wantStatus(t, "a request", w, 201, "")
			if isReplay(w) != (n == 1) {
				t.Errorf("request %d of %s is a replay: %v", n, token, isReplay(w))
			}
		}
	}
	b.filter = `{"tags":["rare"]}`
	wantStatus(t, "after a change of the filter", post(t.Context(), node, "/roles", "k", "{}"), 422, "IDEMPOTENCY_KEY_REUSED")
	if b.created(t) != 3 {
		t.Errorf("%d roles", b.created(t))
	}
}

func TestMiddleware_AFailureStoresNothing(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(context.Context, http.ResponseWriter) error{
		"an error": func(context.Context, http.ResponseWriter) error { return errors.New("no") },
		"a status": func(_ context.Context, w http.ResponseWriter) error {
			w.WriteHeader(http.StatusConflict)
			return nil
		},
		"a panic": func(context.Context, http.ResponseWriter) error { panic("no") },
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			node := b.node()
			b.after = fail
			if w := post(t.Context(), node, "/roles", "k", "{}"); w.Code < 400 || b.created(t) != 0 {
				t.Fatalf("%d %s, %d roles", w.Code, w.Body, b.created(t))
			}
			b.after = nil
			// The key is free again, also for another request.
			wantStatus(t, "the retry", post(t.Context(), node, "/roles", "k", `{"better":true}`), 201, "")
			if b.created(t) != 1 {
				t.Errorf("%d roles", b.created(t))
			}
		})
	}
}

func TestMiddleware_AFailedWriteStoresNothingEvenIfTheHandlerIgnoresIt(t *testing.T) {
	b := setup(t)
	b.after = func(ctx context.Context, _ http.ResponseWriter) error {
		_ = db.Write(ctx, b.pool, func(context.Context, pgx.Tx) error { return errors.New("no") })
		return nil
	}
	wantStatus(t, "the request", post(t.Context(), b.node(), "/roles", "k", "{}"), 500, "INTERNAL")
	if b.created(t) != 0 {
		t.Errorf("%d roles", b.created(t))
	}
}

func TestMiddleware_ACrashDuringTheRequestStoresNothing(t *testing.T) {
	b := setup(t)
	b.after = func(ctx context.Context, _ http.ResponseWriter) error { // Postgres sees the same when the process is killed
		_, err := b.pool.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "+
			"WHERE datname = current_database() AND state = 'idle in transaction'")
		return err
	}
	wantStatus(t, "the request", post(t.Context(), b.node(), "/roles", "k", "{}"), 503, "UNAVAILABLE")
	b.after = nil
	w := post(t.Context(), b.node(), "/roles", "k", "{}")
	wantStatus(t, "the retry", w, 201, "")
	if w.Header().Get("Idempotent-Replayed") != "" || b.created(t) != 1 {
		t.Errorf("the retry: %v, %d roles", w.Header(), b.created(t))
	}
}

func TestMiddleware_ARepetitionWaitsForALimitedTime(t *testing.T) {
	t.Parallel()
	for name, sameNode := range map[string]bool{"on one node": true, "on two nodes": false} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.timeout = 50 * time.Millisecond
			first, second := b.node(), b.node()
			if sameNode {
				second = first
			}
			started, end := make(chan struct{}), make(chan struct{})
			b.after = func(context.Context, http.ResponseWriter) error {
				close(started)
				<-end
				return nil
			}
			var group sync.WaitGroup
			group.Go(func() { wantStatus(t, "the first", post(t.Context(), first, "/roles", "k", "{}"), 201, "") })
			<-started
			w := post(t.Context(), second, "/roles", "k", "{}")
			wantStatus(t, "the second, during the first", w, 409, "IDEMPOTENCY_KEY_IN_USE")
			close(end)
			group.Wait()
			w = post(t.Context(), second, "/roles", "k", "{}")
			wantStatus(t, "the third, after the first", w, 201, "")
			if !isReplay(w) {
				t.Error("the third is not a replay")
			}
		})
	}
}

func TestMiddleware_IgnoresTheKeyOfAStream(t *testing.T) {
	b := setup(t)
	node := b.node()
	for range 2 {
		request := httptest.NewRequest(http.MethodPost, "/roles?stream", strings.NewReader(`[{}, {}]`))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", "k")
		node.ServeHTTP(httptest.NewRecorder(), request)
	}
	if b.created(t) != 2 {
		t.Errorf("two requests created %d roles", b.created(t))
	}
}

func TestMiddleware_ChecksThePermissionBeforeAReplay(t *testing.T) {
	b := setup(t)
	node := b.node()
	post(t.Context(), node, "/roles", "k", "{}")
	b.refusal = problem.New(problem.Forbidden, "No.")
	for _, key := range []string{"k", "another"} {
		w := post(t.Context(), node, "/roles", key, "{}")
		wantStatus(t, "with the key "+key, w, 403, "FORBIDDEN")
		if w.Header().Get("Idempotent-Replayed") != "" {
			t.Errorf("with the key %s: %v", key, w.Header())
		}
	}
	if b.runs.Load() != 1 {
		t.Errorf("%d runs", b.runs.Load())
	}
}

// However many requests with keys there are, and however long they take, other requests find a connection.
func TestMiddleware_NeverTakesTheWholePool(t *testing.T) {
	b := setup(t)
	b.timeout = 50 * time.Millisecond
	node := b.node()
	arrived, end := make(chan struct{}), make(chan struct{})
	b.after = func(context.Context, http.ResponseWriter) error {
		arrived <- struct{}{}
		<-end
		return nil
	}
	requests := int(b.pool.Config().MaxConns)
	responses := make(chan *httptest.ResponseRecorder, requests)
	for i := range requests {
		go func() { responses <- post(t.Context(), node, "/roles", fmt.Sprint("k", i), "{}") }()
	}
	running := 0
	for refused := 0; running+refused < requests; {
		select {
		case <-arrived:
			running++
		case w := <-responses:
			refused++
			wantStatus(t, "beyond the slots", w, 503, "UNAVAILABLE")
			if w.Header().Get("Retry-After") == "" {
				t.Error("beyond the slots: no Retry-After")
			}
		}
	}
	if running == requests {
		t.Errorf("all %d connections are taken", requests)
	} else if b.created(t) != 0 { // on one of the other connections
		t.Error("a role is committed before the response")
	}
	close(end)
	for range running {
		wantStatus(t, "in a slot", <-responses, 201, "")
	}
	b.after = nil
	wantStatus(t, "afterwards", post(t.Context(), node, "/roles", "k", "{}"), 201, "")
}

// The database and its backups reveal neither the key nor the request nor the response.
func TestMiddleware_StoresNothingInPlainText(t *testing.T) {
	b := setup(t)
	b.after = func(_ context.Context, w http.ResponseWriter) error {
		w.Header().Set("X-Secret", "in-the-header")
		_, err := w.Write([]byte(`"in-the-response"`))
		return err
	}
	first := post(t.Context(), b.node(), "/roles", "in-the-key", `{"password":"in-the-body"}`)
	again := post(t.Context(), b.node(), "/roles", "in-the-key", `{"password":"in-the-body"}`)
	if again.Body.String() != first.Body.String() || !strings.Contains(again.Body.String(), "in-the-response") {
		t.Errorf("the repetition got %s, want %s", again.Body, first.Body)
	}
	rows, err := b.pool.Query(t.Context(),
		"SELECT encode(r::text::bytea, 'escape') || encode(r.response, 'escape') FROM idempotency_key r")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(stored) != 1 || len(stored[0]) < 100 {
		t.Fatalf("%d rows are stored: %q, %v", len(stored), stored, err)
	}
	if strings.Contains(stored[0], "in-the-") {
		t.Errorf("stored: %s", stored[0])
	}
}
