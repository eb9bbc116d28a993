package idempotency_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
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
)

// bundle is a database with one user, and a handler that creates a role.
type bundle struct {
	pool          *pgxpool.Pool
	account, user uuid.UUID
	token         uuid.UUID // of the user; uuid.Nil: none
	filter        string    // of the token
	timeout       time.Duration
	refusal       error                                                  // of the user's permission
	runs          atomic.Int32                                           // of the handler
	after         func(ctx context.Context, w http.ResponseWriter) error // runs in the handler, after its write
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	b := &bundle{pool: dbtest.New(t), account: uuid.New(), user: uuid.New(), timeout: 20 * time.Second}
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

// node returns the handler of one of several servers on the database.
func (b *bundle) node() http.Handler {
	caller := func(*http.Request) (idempotency.Principal, error) {
		return idempotency.Principal{Account: b.account, User: b.user, Token: b.token, Filter: b.filter}, b.refusal
	}
	streams := func(r *http.Request) bool { return r.URL.Query().Has("stream") }
	once := idempotency.Middleware(b.pool, caller, b.timeout, streams, problems)
	return problems.Recover(once(http.HandlerFunc(b.handle)))
}

func (b *bundle) handle(w http.ResponseWriter, r *http.Request) {
	id := uuid.New()
	err := db.Write(r.Context(), b.pool, func(ctx context.Context, tx pgx.Tx) error {
		return dbtest.InsertRole(ctx, tx, id, b.account, fmt.Sprint("role ", b.runs.Add(1)))
	})
	if err == nil && b.after != nil {
		err = b.after(r.Context(), w)
	}
	if err != nil {
		problems.Write(w, r, err)
		return
	}
	w.Header().Set("Location", "/roles/"+id.String())
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":%q}`, id)
}

// created returns how many roles of the handler are committed.
func (b *bundle) created(t *testing.T) int {
	t.Helper()
	var n int
	if err := b.pool.QueryRow(t.Context(), "SELECT count(*) - 1 FROM role").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func post(ctx context.Context, node http.Handler, target, key, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	node.ServeHTTP(w, request)
	return w
}

// wantStatus fails the test unless the response has the status and, if code is not "", that problem code.
func wantStatus(t *testing.T, name string, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	var problem struct{ Code string }
	if code != "" {
		_ = json.Unmarshal(w.Body.Bytes(), &problem)
	}
	if w.Code != status || problem.Code != code {
		t.Errorf("%s: got %d %s, want %d %s", name, w.Code, w.Body, status, code)
	}
}

func isReplay(w *httptest.ResponseRecorder) bool {
	return w.Header().Get("Idempotent-Replayed") == "true"
}
