package idempotency

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
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

// Patience is a good time to wait for a first request that is still under way.
const Patience = 5 * time.Second

// Caller tells who sends a request. An error refuses it, also where there is an answer to replay: of who has not signed in, and of who may not,
// or no more, do what the request asks for.
type Caller func(r *http.Request) (accountID, userID uuid.UUID, err error)

// Middleware goes around the handlers of a REST API, inside the Guard, which has bounded and put back the body. A repeat waits up to
// patience for the first to end on this node, and as long again for one on another; while the work goes on, no statement of it waits
// longer than patience for a lock. A request holds a connection of the pool until it is answered, and waits as long for one of the three
// quarters that requests with keys may hold at the same time: the rest is for all others.
func Middleware(pool *pgxpool.Pool, caller Caller, patience time.Duration, problems *contract.Problems) func(http.Handler) http.Handler {
	m := &middleware{pool: pool, caller: caller, patience: patience, problems: problems, gate: newGate(max(1, int(pool.Config().MaxConns)*3/4))}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(w, r, next) })
	}
}

type middleware struct {
	pool     *pgxpool.Pool
	caller   Caller
	patience time.Duration
	problems *contract.Problems
	gate     *gate
}

func (m *middleware) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	name := r.Header.Get("Idempotency-Key")
	if r.Method != http.MethodPost || name == "" || streams(r) {
		next.ServeHTTP(w, r)
		return
	}
	account, user, err := m.caller(r)
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
	answer, err := m.once(r, key{account, user, name}, body, next)
	if err != nil {
		m.problems.Write(w, r, err)
		return
	}
	answer.writeTo(w)
}

// key is what a request is known by.
type key struct {
	account, user uuid.UUID
	name          string
}

// once runs the handler, or finds the answer that it gave before.
func (m *middleware) once(r *http.Request, k key, body []byte, next http.Handler) (*answer, error) {
	secrets, err := k.secrets()
	if err != nil {
		return nil, err
	}
	fingerprint := secrets.fingerprint(r, body)
	leave, err := m.gate.enter(r.Context(), k, m.patience)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, tx, err := db.Begin(r.Context(), m.pool, m.patience)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	queries := store.New(tx.Conn())

	claimed, err := queries.ClaimIdempotencyKey(ctx, store.ClaimIdempotencyKeyParams{
		AccountID: k.account, UserID: k.user, KeyDigest: secrets.digest, Fingerprint: fingerprint,
	})
	switch {
	case isLockTimeout(err):
		return nil, errInUse()
	case err != nil:
		return nil, fmt.Errorf("claim an idempotency key: %w", err)
	case claimed == 0:
		return replay(ctx, queries, k, secrets, fingerprint)
	}
	given := newAnswer()
	next.ServeHTTP(given, r.WithContext(ctx))
	if !given.succeeded() {
		return given, nil // and the transaction is rolled back
	}
	sealed, err := given.seal(secrets)
	if err != nil {
		return nil, err
	}
	if err := tx.Usable(); err != nil {
		return nil, fmt.Errorf("keep an idempotent answer: %w", err)
	}
	err = queries.StoreIdempotentAnswer(ctx, store.StoreIdempotentAnswerParams{
		Answer: sealed, AccountID: k.account, UserID: k.user, KeyDigest: secrets.digest,
	})
	if err != nil {
		return nil, fmt.Errorf("keep an idempotent answer: %w", err)
	}
	return given, tx.Commit(ctx)
}

func replay(ctx context.Context, queries *store.Queries, k key, secrets secrets, fingerprint []byte) (*answer, error) {
	row, err := queries.IdempotentAnswer(ctx, store.IdempotentAnswerParams{AccountID: k.account, UserID: k.user, KeyDigest: secrets.digest})
	switch {
	case errors.Is(err, pgx.ErrNoRows): // forgotten between the two statements
		return nil, errInUse()
	case err != nil:
		return nil, fmt.Errorf("read an idempotent answer: %w", err)
	case !hmac.Equal(row.Fingerprint, fingerprint):
		return nil, problem.New(problem.IdempotencyKeyReused,
			"This Idempotency-Key was used for another request; take a new one for each thing to be done.")
	}
	return open(row.Answer, secrets)
}

func errInUse() error {
	return problem.New(problem.IdempotencyKeyInUse, "The first request with this Idempotency-Key is still under way; try again.")
}

func errCrowded() error {
	return problem.New(problem.Unavailable, "Many requests with an Idempotency-Key are under way; try again in a moment.")
}

// isLockTimeout reports whether Postgres gave up waiting for whoever holds the key.
func isLockTimeout(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && answer.Code == "55P03"
}

// streams reports whether the body is one that the Guard has left unread: any that is not JSON.
func streams(r *http.Request) bool {
	given := r.Header.Get("Content-Type")
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody || given == "" {
		return false
	}
	mediaType, _, err := mime.ParseMediaType(given)
	return err != nil || mediaType != "application/json" && !strings.HasSuffix(mediaType, "+json")
}
