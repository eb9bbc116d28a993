package change

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
)

// errDropped means that some of the requested changes are no longer in the log.
var errDropped = errors.New("the position is below the log's floor")

// History returns up to limit sequenced changes of an item, newest first: those with an id below before, or all if
// before is 0. If the item is hidden from the role, there are none; nothing is hidden from a nil role.
func History(
	ctx context.Context, tx db.Querier, account uuid.UUID, role *uuid.UUID, item uuid.UUID, before int64, limit int,
) ([]*Change, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := store.New(tx).ItemHistory(ctx, store.ItemHistoryParams{
		AccountID: account, ItemID: item, RoleID: role, BeforeID: before, MaxRows: int32(limit),
	})
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	changes := make([]*Change, len(rows))
	for i, row := range rows {
		changes[i] = fromRow(row)
	}
	return changes, nil
}

// maxFormerValues limits the values that FormerValues returns.
const maxFormerValues = 1000

// FormerValues returns the values that a field of an item had before each change that altered it or deleted the item,
// as JSON, newest first, as far as the log retains those changes. It includes changes that have no position yet. If the
// item is hidden from the role, there are none; nothing is hidden from a nil role.
func FormerValues(
	ctx context.Context, tx db.Querier, account uuid.UUID, role *uuid.UUID, item uuid.UUID, field string,
) ([][]byte, error) {
	values, err := store.New(tx).FormerValues(ctx, store.FormerValuesParams{
		AccountID: account, ItemID: item, RoleID: role, Field: field, MaxRows: maxFormerValues,
	})
	if err != nil {
		return nil, fmt.Errorf("read former values: %w", err)
	}
	return values, nil
}

// ErrForeignID is returned for the id of an item that another account has had.
var ErrForeignID = errors.New("the id is another account's")

// LastRevision returns the last revision of a deleted item, or 0 if the log has never had the item. A new item with the
// same id continues from there. The id of a deleted item stays with its account, because links to the item may
// still be around. Error: ErrForeignID.
func LastRevision(ctx context.Context, tx db.Querier, account, item uuid.UUID) (int64, error) {
	last, err := store.New(tx).LastRevision(ctx, store.LastRevisionParams{AccountID: account, ItemID: item})
	if err != nil {
		return 0, fmt.Errorf("read the last revision: %w", err)
	}
	if last.ForeignID {
		return 0, ErrForeignID
	}
	return last.Revision, nil
}

// readAfter reads up to limit changes after a position, in order, from the database. It returns errDropped when some of
// them are gone.
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
		Task:          DecodeTask(row.Task),
		Document:      row.Document,
		OccurredAt:    row.OccurredAt.UTC(),
	}
}
