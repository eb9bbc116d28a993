package account

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/problem"
)

// What the audit log calls that which this package does.
const (
	signedIn         = "sign-in.succeeded"
	signInFailed     = "sign-in.failed"
	signInThrottled  = "sign-in.throttled"
	signedOut        = "sign-out"
	userCreated      = "user.created"
	userUpdated      = "user.updated"
	userDeleted      = "user.deleted"
	passwordChanged  = "password.changed"
	passwordReset    = "password.reset"
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
	return audit(ctx, tx, actor, action, subject, detail)
}

func audit(ctx context.Context, tx pgx.Tx, actor Actor, action, subject string, detail any) error {
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

// AuditEntry is who did what. Actor is nil when nobody was signed in, and for the operator.
type AuditEntry struct {
	ID        uuid.UUID
	At        time.Time
	Actor     *uuid.UUID
	ActorName string
	Address   string // of the client; empty: the machine itself
	Action    string
	Subject   string
	Detail    json.RawMessage
}

// AuditFilter says which entries are meant; a zero criterion lets all pass.
type AuditFilter struct {
	Actor    *uuid.UUID
	Actions  []string
	Subject  string
	AtAfter  *time.Time
	AtBefore *time.Time
}

// AuditLog returns up to limit entries of the account, newest first, from after on, which is empty or what an earlier call gave as next.
// Needs users.manage. Errors: INVALID_INPUT, INVALID_CURSOR.
func (s *Service) AuditLog(ctx context.Context, filter AuditFilter, limit int, after string) (entries []AuditEntry, next string, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, "audit")
	if err != nil {
		return nil, "", err
	}
	params := store.ListAuditParams{AccountID: actor.AccountID, BeforeID: before, Actor: filter.Actor, AtAfter: filter.AtAfter,
		AtBefore: filter.AtBefore, MaxRows: int32(limit + 1)}
	for _, text := range append([]string{filter.Subject}, filter.Actions...) {
		if !db.IsText(text) {
			return nil, "", problem.Invalid(problem.InvalidInput, problem.Fault{Parameter: "action", Detail: "must be text without U+0000"})
		}
	}
	if filter.Subject != "" {
		params.Subject = &filter.Subject
	}
	if len(filter.Actions) > 0 {
		params.Actions = filter.Actions
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListAudit(ctx, params)
	if err != nil {
		return nil, "", fmt.Errorf("list audit entries: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListAuditRow) string { return page.Token("audit", row.ID) })
	entries = make([]AuditEntry, len(rows))
	for i, row := range rows {
		entries[i] = AuditEntry(row)
		entries[i].At = row.At.UTC()
	}
	return entries, next, nil
}
