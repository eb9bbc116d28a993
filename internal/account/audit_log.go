package account

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

const auditPruneInterval = time.Hour

// AuditEntry is an action in the audit log.
type AuditEntry struct {
	ID        uuid.UUID
	At        time.Time
	Actor     *uuid.UUID // the user; nil: the operator, or a client that was not signed in
	ActorName string
	Address   string // of the client; empty: the command line
	Action    string // such as "user.updated"
	Subject   string // an API path such as "users/ID"
	Detail    json.RawMessage
}

// AuditFilter selects entries that meet all its criteria. A zero criterion is met by every entry.
type AuditFilter struct {
	Actor    *uuid.UUID
	Actions  []string
	Subject  string
	AtAfter  *time.Time
	AtBefore *time.Time
}

// PageToken returns the token of the entry's place in the log.
func (e AuditEntry) PageToken() string { return page.Token("audit", e.ID) }

// AuditLog returns up to limit entries, newest first, that follow a page token; "" stands for the start of the list.
// Next is the token of the following page, or "". Needs users.manage. Errors: INVALID_INPUT, INVALID_PAGE_TOKEN.
func (s *Service) AuditLog(ctx context.Context, filter AuditFilter, limit int, after string) (entries []AuditEntry,
	next string, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, "audit")
	if err != nil {
		return nil, "", err
	}
	params := store.ListAuditParams{AccountID: actor.AccountID, BeforeID: before, Actor: filter.Actor,
		AtAfter: filter.AtAfter, AtBefore: filter.AtBefore, MaxRows: int32(limit + 1)}
	var invalid problem.Faults
	invalid.Of("subject", validate.Storable(filter.Subject))
	for _, action := range filter.Actions {
		invalid.Of("action", validate.Storable(action))
	}
	if err := invalid.Err(problem.InvalidInput); err != nil {
		return nil, "", err
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
	rows, next = page.Cut(rows, limit, func(row store.ListAuditRow) string { return AuditEntry(row).PageToken() })
	entries = make([]AuditEntry, len(rows))
	for i, row := range rows {
		entries[i] = AuditEntry(row)
		entries[i].At = row.At.UTC()
	}
	return entries, next, nil
}

// RunAuditRetention deletes entries older than Config.AuditKeepFor, once an hour until ctx ends. So an entry may stay
// up to an hour longer.
func (s *Service) RunAuditRetention(ctx context.Context) error {
	if s.auditKeepFor == 0 {
		return nil
	}
	tick := time.NewTicker(auditPruneInterval)
	defer tick.Stop()
	for {
		if err := s.pruneAudit(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot delete old audit entries; retrying in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) pruneAudit(ctx context.Context, now time.Time) error {
	return store.New(s.pool).DropOldAudits(ctx, firstIDAt(now.Add(-s.auditKeepFor)))
}

// firstIDAt returns the lowest UUIDv7 of a time (RFC 9562 §5.7: it begins with the milliseconds since 1970).
func firstIDAt(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	return id
}
