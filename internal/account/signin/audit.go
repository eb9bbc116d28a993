package signin

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/account/internal/store"
	"itemcast/internal/wake"
)

// The actions of this package in the audit log.
const (
	signedIn        = "sign-in.succeeded"
	signInFailed    = "sign-in.failed"
	signInThrottled = "sign-in.throttled"
	signedOut       = "sign-out"
	passwordChanged = "password.changed"
	passwordReset   = "password.reset" // by a reset link; package account records rotations
)

func userPath(id uuid.UUID) string { return "users/" + id.String() }

const (
	auditDelay      = 500 * time.Millisecond // collects entries for one statement
	maxQueuedAudits = 1000                   // further entries are only logged
)

// auditQueue writes the outcomes of sign-ins to the audit log in the background, so that the time of a sign-in does not
// reveal whether the user exists. Its methods may be called concurrently.
type auditQueue struct {
	pool    *pgxpool.Pool
	log     *slog.Logger
	entries chan store.InsertAuditsParams
}

func newAuditQueue(pool *pgxpool.Pool, log *slog.Logger) auditQueue {
	return auditQueue{pool: pool, log: log, entries: make(chan store.InsertAuditsParams, maxQueuedAudits)}
}

// add records a sign-in with a user's address. For an address without a user there is no account whose log could record
// it.
func (q *auditQueue) add(ctx context.Context, user store.UserByEmailRow, action string, detail map[string]string) {
	if user.ID == uuid.Nil {
		return
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		return // never happens: a map of strings can be encoded
	}
	entry := store.InsertAuditsParams{ID: uuid.Must(uuid.NewV7()), AccountID: user.AccountID, At: time.Now(),
		ActorName: user.Email, Address: account.AddressFrom(ctx), Action: action, Subject: userPath(user.ID), Detail: raw}
	if action == signedIn {
		entry.Actor = &user.ID
	}
	select {
	case q.entries <- entry:
	default:
		q.log.Warn("too many sign-ins to record them all in the audit log", "action", action, "user_id", user.ID,
			"email", user.Email, "address", entry.Address)
	}
}

// run writes entries until ctx ends, and then the remaining ones.
func (q *auditQueue) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			q.write(context.WithoutCancel(ctx), nil)
			return
		case first := <-q.entries:
			wake.Pause(ctx, auditDelay)
			q.write(context.WithoutCancel(ctx), []store.InsertAuditsParams{first})
		}
	}
}

// write writes entries and those that wait in the queue.
func (q *auditQueue) write(ctx context.Context, entries []store.InsertAuditsParams) {
	for more := true; more; {
		select {
		case entry := <-q.entries:
			entries = append(entries, entry)
		default:
			more = false
		}
	}
	if len(entries) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	if _, err := store.New(q.pool).InsertAudits(ctx, entries); err != nil {
		q.log.Warn("cannot write sign-ins to the audit log", "entries", len(entries), "error", err)
	}
}
