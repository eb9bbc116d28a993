package account

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account/internal/store"
)

const (
	notesWait = 500 * time.Millisecond // for others to come along
	notesMost = 1000                   // that wait; what comes then is logged only
)

// notes writes into the audit log how sign-ins went, off their path: a sign-in takes no longer for it, and so tells no more of who exists.
type notes struct {
	pool  *pgxpool.Pool
	log   *slog.Logger
	queue chan store.InsertAuditsParams
}

func newNotes(pool *pgxpool.Pool, log *slog.Logger) notes {
	return notes{pool: pool, log: log, queue: make(chan store.InsertAuditsParams, notesMost)}
}

// add notes what somebody did who gave a user's address. Nothing is noted of one who is nobody: no account has such a user.
func (n *notes) add(ctx context.Context, user store.UserByEmailRow, action string, detail map[string]string) {
	if user.ID == uuid.Nil {
		return
	}
	raw, err := encodeDetail(detail)
	if err != nil {
		return // a map of texts can be encoded
	}
	entry := store.InsertAuditsParams{ID: uuid.Must(uuid.NewV7()), AccountID: user.AccountID, At: time.Now(), ActorName: user.Email,
		Address: AddressFrom(ctx), Action: action, Subject: userPath(user.ID), Detail: raw}
	if action == signedIn {
		entry.Actor = &user.ID
	}
	select {
	case n.queue <- entry:
	default:
		n.log.Warn("too many sign-ins to note them all in the audit log", "action", action, "user", user.Email, "address", entry.Address)
	}
}

// run writes until ctx ends, and then what there is.
func (n *notes) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			n.write(context.WithoutCancel(ctx), nil)
			return
		case first := <-n.queue:
			select {
			case <-ctx.Done():
			case <-time.After(notesWait):
			}
			n.write(context.WithoutCancel(ctx), []store.InsertAuditsParams{first})
		}
	}
}

func (n *notes) write(ctx context.Context, entries []store.InsertAuditsParams) {
	for more := true; more; {
		select {
		case entry := <-n.queue:
			entries = append(entries, entry)
		default:
			more = false
		}
	}
	if len(entries) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reviewWithin)
	defer cancel()
	if _, err := store.New(n.pool).InsertAudits(ctx, entries); err != nil {
		n.log.Warn("cannot note sign-ins in the audit log", "entries", len(entries), "err", err)
	}
}
