package account

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
)

// What the audit log calls that which this package does.
const (
	userCreated      = "user.created"
	userUpdated      = "user.updated"
	userDeleted      = "user.deleted"
	passwordReset    = "password.reset" // also by a reset link, in package signin
	resetLinkCreated = "reset-link.created"
	roleCreated      = "role.created"
	roleUpdated      = "role.updated"
	roleDeleted      = "role.deleted"
)

// Audit notes in a transaction that who acts in ctx did something, such as "hook.created", to a subject, the path of the API such as
// "hooks/ID". Detail becomes a JSON object; no secret may be in it. Without a change committed there is no entry, and no change without its
// entry. It costs no round trip of its own.
func Audit(ctx context.Context, tx pgx.Tx, action, subject string, detail any) error {
	actor, _ := ActorFrom(ctx)
	raw, err := encodeDetail(detail)
	if err != nil {
		return err
	}
	err = store.New(db.Deferred(tx)).InsertAudit(ctx, store.InsertAuditParams{ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID,
		Actor: actor.User(), ActorName: actor.label(), Address: AddressFrom(ctx), Action: action, Subject: subject, Detail: raw})
	if err != nil {
		return fmt.Errorf("note in the audit log: %w", err)
	}
	return nil
}

func encodeDetail(detail any) (json.RawMessage, error) {
	if detail == nil {
		return json.RawMessage("{}"), nil
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		return nil, fmt.Errorf("encode an audit detail: %w", err)
	}
	return raw, nil
}

// label is how the audit log calls who acts, also when the user is gone.
func (a Actor) label() string {
	if a.Email != "" {
		return a.Email
	}
	return a.Name
}

// changes are the fields that an update changed, each with what it was and what it became.
type changes map[string][2]any

func (c changes) note(field string, before, after any) {
	if before != after {
		c[field] = [2]any{before, after}
	}
}
