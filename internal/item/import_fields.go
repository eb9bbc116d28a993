package item

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/item/internal/store"
)

// createMissingFields makes a field for each key that the account does not know, of the kind of the first value that comes. A text that
// looks like a date makes a text field: the lines are not known to their end, one that says "1927" or "unknown" may come yet, and a field's
// kind is for good.
func (s *Service) createMissingFields(ctx context.Context, q *store.Queries, actor account.Actor, metadata json.RawMessage) error {
	values, err := decodeObject(metadata)
	if err != nil || len(values) == 0 {
		return err
	}
	fields, err := q.ListMetadataFields(ctx, actor.AccountID)
	if err != nil {
		return fmt.Errorf("list metadata fields: %w", err)
	}
	for _, f := range fields {
		delete(values, f.Key)
	}
	count := len(fields)
	for _, key := range slices.Sorted(maps.Keys(values)) { // in one order, so that two imports do not wait for each other
		kind, ok := kindOf(values[key])
		if !ok || !fieldKey.MatchString(key) {
			continue // the check of the metadata says what is wrong
		}
		if count++; count > maxFields {
			return errTooManyFields
		}
		_, err := q.InsertMetadataField(ctx, store.InsertMetadataFieldParams{ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID,
			Key: key, Label: key, Kind: kind, Choices: []string{}})
		if err != nil && !errors.Is(err, pgx.ErrNoRows) { // no row: another import has just made it
			return fmt.Errorf("insert metadata field: %w", err)
		}
	}
	return nil
}
