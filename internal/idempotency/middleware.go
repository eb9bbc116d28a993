package idempotency

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/contract"
	"itemcast/internal/db"
	"itemcast/internal/idempotency/internal/store"
	"itemcast/internal/problem"
)

// Timeout is how long a repetition usually waits for the first request to end.
const Timeout = 5 * time.Second

// Caller identifies the user of a request. It returns an error if the user is not signed in, or does not have the
// operation's permission (any more). Such a request gets no stored response either.
type Caller func(r *http.Request) (Principal, error)

// Principal is whom a key belongs to.
type Principal struct {
	Account, User uuid.UUID
	Token         uuid.UUID // the access token by which the user came; uuid.Nil without one
	Filter        string    // of the token
}

// Middleware wraps the handlers of a REST API. It belongs inside contract's Guard, which limits the body and makes it
// readable again.
//
// Each request with a key holds a connection of the pool until the response is known. They hold at most three quarters
// of the pool, so that other requests find connections. A request waits for at most timeout for the first request with
// its key and for a connection, and each of its statements waits for at most timeout for a lock.
//
// The key of a request that streams its body is ignored: such a request is not one transaction, and its body may be
// larger than the memory.
func Middleware(
	pool *pgxpool.Pool, caller Caller, timeout time.Duration, streams func(*http.Request) bool,
	problems *contract.Problems,
) func(http.Handler) http.Handler {
	gate := newGate(max(1, int(pool.Config().MaxConns)*3/4))
	m := &middleware{
		pool: pool, caller: caller, timeout: timeout, streams: streams, problems: problems, gate: gate,
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(w, r, next) })
	}
}

type middleware struct {
	pool     *pgxpool.Pool
	caller   Caller
	timeout  time.Duration
	streams  func(*http.Request) bool
	problems *contract.Problems
	gate     *gate
}

func (m *middleware) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	name := r.Header.Get("Idempotency-Key")
	if r.Method != http.MethodPost || name == "" || m.streams(r) {
		next.ServeHTTP(w, r)
		return
	}
	principal, err := m.caller(r)
	if err != nil {
		m.problems.Write(w, r, err)
		return
	}
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			m.problems.Write(w, r, fmt.Errorf("read the body: %w", err))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	response, err := m.once(r, key{principal, name}, body, next)
	if err != nil {
		m.problems.Write(w, r, err)
		return
	}
	response.writeTo(w)
}

// key identifies a request. Its name is the value of the header.
type key struct {
	Principal
	name string
}

// once runs the handler, or returns its stored response.
func (m *middleware) once(r *http.Request, k key, body []byte, next http.Handler) (*response, error) {
	secrets, err := k.secrets()
	if err != nil {
		return nil, err
	}
	fingerprint := secrets.fingerprint(r, body)
	leave, err := m.gate.enter(r.Context(), k, m.timeout)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, tx, err := db.Begin(r.Context(), m.pool, m.timeout)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	queries := store.New(tx.Conn())

	claimed, err := queries.ClaimIdempotencyKey(ctx, store.ClaimIdempotencyKeyParams{
		AccountID: k.Account, UserID: k.User, KeyDigest: secrets.digest, Fingerprint: fingerprint,
	})
	switch {
	case isLockTimeout(err):
		return nil, errInUse()
	case err != nil:
		return nil, fmt.Errorf("claim the idempotency key: %w", err)
	case claimed == 0:
		return replay(ctx, queries, k, secrets, fingerprint)
	}
	response := newResponse()
	next.ServeHTTP(response, r.WithContext(ctx))
	if !response.succeeded() {
		return response, nil // the deferred Rollback undoes the claim
	}
	sealed, err := response.seal(secrets)
	if err != nil {
		return nil, err
	}
	if err := tx.Usable(); err != nil {
		return nil, fmt.Errorf("store the response: %w", err)
	}
	err = queries.StoreIdempotentResponse(ctx, store.StoreIdempotentResponseParams{
		Response: sealed, AccountID: k.Account, UserID: k.User, KeyDigest: secrets.digest,
	})
	if err != nil {
		return nil, fmt.Errorf("store the response: %w", err)
	}
	return response, tx.Commit(ctx)
}

// replay returns the stored response of a key. Errors: IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE.
func replay(
	ctx context.Context, queries *store.Queries, k key, secrets secrets, fingerprint []byte,
) (*response, error) {
	row, err := queries.IdempotentResponse(ctx, store.IdempotentResponseParams{
		AccountID: k.Account, UserID: k.User, KeyDigest: secrets.digest,
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows): // the key expired after the claim failed
		return nil, errInUse()
	case err != nil:
		return nil, fmt.Errorf("read the stored response: %w", err)
	case !hmac.Equal(row.Fingerprint, fingerprint):
		return nil, problem.New(problem.IdempotencyKeyReused,
			"This Idempotency-Key was used for another request. Use a new key for each request.")
	}
	return open(row.Response, secrets)
}

func errInUse() error {
	return problem.New(problem.IdempotencyKeyInUse,
		"The first request with this Idempotency-Key has not ended. Try again in a moment.")
}

func errTooMany() error {
	return problem.New(problem.Unavailable,
		"The server is handling too many requests with an Idempotency-Key. Try again in a moment.")
}

// isLockTimeout reports whether another transaction held the key for longer than the timeout.
func isLockTimeout(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == "55P03" // lock_not_available
}
