package contract_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"itemcast/internal/contract"
	"itemcast/internal/problem"
)

func TestWrite_HasTheStatusAndHeadersOfTheCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		header string // "Name: value"
	}{
		"sign in":       {problem.New(problem.Unauthenticated, "Sign in."), 401, `Www-Authenticate: Basic realm="Itemcast", charset="UTF-8"`},
		"stale":         {&problem.Error{Code: problem.RevisionMismatch, Detail: "Changed.", Revision: 7}, 412, `Etag: "7"`},
		"too many":      {problem.New(problem.TooManyRequests, "Slow down."), 429, "Retry-After: 1"},
		"database away": {fmt.Errorf("read an item: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}), 503, "Retry-After: 1"},
		"timeout":       {context.DeadlineExceeded, 503, "Retry-After: 1"},
		"wrapped":       {fmt.Errorf("create: %w", problem.New(problem.Conflict, "It is there.")), 409, ""},
		"internal":      {errors.New("secret: pq: relation item"), 500, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/half-done")
				problems.Write(w, r, c.err)
			})
			got := ask(t, handler, "GET", "/x", "")
			if got.ResponseRecorder.Code != c.status || strings.Contains(got.Body.String(), "secret") ||
				got.Header().Get("Location") != "" {
				t.Errorf("got %d %s", got.ResponseRecorder.Code, got.Body)
			}
			if name, value, ok := strings.Cut(c.header, ": "); ok && got.Header().Get(name) != value {
				t.Errorf("got %v", got.Header())
			}
		})
	}
}

func TestWrite_SendsNothingToAClientThatHasDisconnected(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	problems.Write(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil), fmt.Errorf("read: %w", context.Canceled))
	if w.Code != 499 || w.Body.Len() != 0 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestWrite_AsksClientsToRetryWhileTheServerShutsDown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the server shuts down"))
	w := httptest.NewRecorder()
	problems.Write(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil), fmt.Errorf("read: %w", context.Canceled))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "UNAVAILABLE") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestWrite_LogsWhatClientsDoNotSee(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		err  error
		want string
	}{
		"internal":    {errors.New("secret"), `level=ERROR msg="request failed" method=GET path=/x error=secret`},
		"unavailable": {context.DeadlineExceeded, `level=WARN msg="request cannot be served now" method=GET path=/x`},
		"a conflict":  {problem.New(problem.Conflict, "It is there."), ""},
	} {
		var log bytes.Buffer
		problems := contract.NewProblems(slog.New(slog.NewTextHandler(&log, nil)))
		problems.Write(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil), c.err)
		if got := log.String(); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: logs %q", text, got)
		}
	}
}

func TestRecover_AnswersOrCutsTheConnection(t *testing.T) {
	t.Parallel()
	early := problems.Recover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") }))
	if got := ask(t, early, "GET", "/", ""); got.Code != "INTERNAL" || strings.Contains(got.Body.String(), "secret") {
		t.Errorf("got %s", got.Body)
	}
	late := problems.Recover(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		w.(http.Flusher).Flush()
		panic("secret")
	}))
	defer func() {
		if reason, ok := recover().(error); !ok || !errors.Is(reason, http.ErrAbortHandler) {
			t.Errorf("panics with %v", reason)
		}
	}()
	ask(t, late, "GET", "/", "")
}
