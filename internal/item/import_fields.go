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

// createMissingFields creates a metadata field for each unknown key, of the kind of its first value. A text that looks
// like a date makes a text field: a later line may have "1927" or "unknown", and a field's kind cannot change.
func (s *Service) createMissingFields(
	ctx context.Context, q *store.Queries, actor account.Actor, metadata json.RawMessage,
) error {
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
	for _, key := range slices.Sorted(maps.Keys(values)) { // in a fixed order, to avoid deadlocks between imports
		kind, ok := kindOf(values[key])
		if !ok || !fieldKey.MatchString(key) {
			continue // the check of the metadata reports it
		}
		if count++; count > maxFields {
			return errTooManyFields
		}
		_, err := q.InsertMetadataField(ctx, store.InsertMetadataFieldParams{
			ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID, Key: key, Label: key, Kind: kind, Choices: []string{},
		})
		if err != nil && !errors.Is(err, pgx.ErrNoRows) { // no row: another import has created it
			return fmt.Errorf("insert metadata field: %w", err)
		}
	}
	return nil
}
