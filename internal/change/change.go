package change

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
)

// Position numbers the changes of the log: 1, 2, 3 … Zero is before the first.
type Position int64

// Kind says what happened to the item.
type Kind string

// The kinds. A Triggered changes nothing: it sends the item as it is.
const (
	Created   Kind = "CREATED"
	Updated   Kind = "UPDATED"
	Deleted   Kind = "DELETED"
	Triggered Kind = "TRIGGERED"
)

// What caused a change, as hooks and feeds are told.
const (
	TriggerWrite  = "hook"   // an ordinary write: the hooks that follow it are the cause of the delivery
	TriggerManual = "manual" // a person asked for it
)

// Change is one entry of the log. It is shared between readers and must not be modified.
type Change struct {
	Position      Position // zero until sequenced
	ID            int64
	AccountID     uuid.UUID
	ItemID        uuid.UUID
	Revision      int64
	Kind          Kind
	ChangedFields []string
	Previous      json.RawMessage // an object: what ChangedFields, and updated_at, were before
	Actor         *uuid.UUID      // nil: the system
	Trigger       string
	Targets       []uuid.UUID // the hooks that a Triggered is addressed to; nil: all that want it
	Document      []byte      // the item after the change; for Deleted the last there was
	OccurredAt    time.Time
}

// Record writes c into the log as part of tx, which must hold the item's row already: see the package comment.
// The caller wakes the sequencer after the commit.
func Record(ctx context.Context, tx pgx.Tx, c Change) error {
	if c.ChangedFields == nil {
		c.ChangedFields = []string{}
	}
	if c.Previous == nil {
		c.Previous = json.RawMessage("{}")
	}
	err := store.New(db.Deferred(tx)).InsertChange(ctx, store.InsertChangeParams{
		AccountID:     c.AccountID,
		ItemID:        c.ItemID,
		Revision:      c.Revision,
		Kind:          string(c.Kind),
		ChangedFields: c.ChangedFields,
		Previous:      c.Previous,
		Actor:         c.Actor,
		Trigger:       c.Trigger,
		Targets:       c.Targets,
		Document:      c.Document,
		OccurredAt:    c.OccurredAt,
	})
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	return nil
}

// readAfter reads up to limit changes that follow after, in order, from the database. Error: errDropped when some of them are gone.
func readAfter(ctx context.Context, q *store.Queries, after Position, limit int) ([]*Change, error) {
	rows, err := q.ChangesAfter(ctx, store.ChangesAfterParams{After: int64(after), Batch: int32(limit)})
	if err != nil {
		return nil, err
	}
	changes := make([]*Change, len(rows))
	for i, row := range rows {
		if i > 0 && row.Position != rows[i-1].Position+1 {
			return nil, errDropped
		}
		changes[i] = fromRow(store.ItemHistoryRow(row))
	}
	return changes, nil
}

func fromRow(row store.ItemHistoryRow) *Change {
	return &Change{
		Position:      Position(row.Position),
		ID:            row.ID,
		AccountID:     row.AccountID,
		ItemID:        row.ItemID,
		Revision:      row.Revision,
		Kind:          Kind(row.Kind),
		ChangedFields: row.ChangedFields,
		Previous:      row.Previous,
		Actor:         row.Actor,
		Trigger:       row.Trigger,
		Targets:       row.Targets,
		Document:      row.Document,
		OccurredAt:    row.OccurredAt.UTC(),
	}
}

// History reads up to limit sequenced changes of an item, newest first; before is the change id to go on from, 0 for the newest. Of an item that
// is hidden from the role there are none; nothing is hidden from nil.
func History(ctx context.Context, tx db.Querier, account uuid.UUID, role *uuid.UUID, item uuid.UUID, before int64, limit int) ([]*Change, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := store.New(tx).ItemHistory(ctx, store.ItemHistoryParams{AccountID: account, ItemID: item, RoleID: role, BeforeID: before, MaxRows: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	changes := make([]*Change, len(rows))
	for i, row := range rows {
		changes[i] = fromRow(row)
	}
	return changes, nil
}

// LastRevision returns the last revision of an item that was deleted; 0 if the log knows of none. An item of the same id continues from there.
func LastRevision(ctx context.Context, tx db.Querier, account, item uuid.UUID) (int64, error) {
	last, err := store.New(tx).LastRevision(ctx, store.LastRevisionParams{AccountID: account, ItemID: item})
	if err != nil {
		return 0, fmt.Errorf("read the last revision: %w", err)
	}
	return last, nil
}
