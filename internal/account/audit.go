package account

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/optional"
)

// The actions of this package in the audit log.
const (
	accountUpdated   = "account.updated"
	userCreated      = "user.created"
	userUpdated      = "user.updated"
	userDeleted      = "user.deleted"
	passwordReset    = "password.reset" // by rotation; package signin records resets by a link
	resetLinkCreated = "reset-link.created"
	roleCreated      = "role.created"
	roleUpdated      = "role.updated"
	roleDeleted      = "role.deleted"
)

// Audit records an action of the actor of ctx, such as "hook.created", on a subject, an API path such as "hooks/ID".
// Detail becomes a JSON object, and must not contain a secret. The entry is committed with the transaction, without a
// round trip of its own.
func Audit(ctx context.Context, tx pgx.Tx, action, subject string, detail any) error {
	actor, _ := ActorFrom(ctx)
	raw, err := encodeDetail(detail)
	if err != nil {
		return err
	}
	err = store.New(db.Deferred(tx)).InsertAudit(ctx, store.InsertAuditParams{ID: uuid.Must(uuid.NewV7()),
		AccountID: actor.AccountID, Actor: actor.UserParam(), ActorName: actor.label(), Address: AddressFrom(ctx),
		Action: action, Subject: subject, Detail: raw})
	if err != nil {
		return fmt.Errorf("write to the audit log: %w", err)
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

// changes holds the values before and after an update, by the field that changed.
type changes map[string][2]any

func (c changes) add(field string, before, after any) {
	if before != after {
		c[field] = [2]any{before, after}
	}
}

func (c changes) addID(field string, before, after *uuid.UUID) {
	if !optional.Equal(before, after) {
		c[field] = [2]any{before, after}
	}
}
