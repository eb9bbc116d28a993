package item

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/optional"
)

// MediaFields are fields that follow from an item's files. Each is set unless the client has set it.
type MediaFields struct {
	Duration *float64   // in seconds; nil: unknown
	Type     ItemType   // "": unknown
	Poster   *uuid.UUID // of the snapshots, the one that represents the item; nil: any
}

// mediaSet are the values that an item has from MediaFields, as its row has them. A field with another value is the
// client's. So a new source can replace what the last one has set.
type mediaSet struct {
	Duration   *float64   `json:"duration,omitempty"`
	Type       ItemType   `json:"type,omitempty"`
	SnapshotID *uuid.UUID `json:"snapshot_id,omitempty"`
	TypeGiven  bool       `json:"type_given,omitempty"` // the upload that made the item named its type
}

// apply sets the fields of an item. Nobody can tell a type that a client left out from the default, video, unless the
// item was uploaded: so video counts as not set.
func (f MediaFields) apply(i *Item, set *mediaSet) error {
	if f.Duration != nil && (i.Duration == nil || optional.Equal(i.Duration, set.Duration)) {
		i.Duration, set.Duration = f.Duration, f.Duration
	}
	isDefault := i.Type == ItemTypeVideo && set.Type == "" && !set.TypeGiven
	if f.Type != "" && (isDefault || i.Type == set.Type) {
		i.Type, set.Type = f.Type, f.Type
	}
	if f.Poster == nil || i.SnapshotID != nil && !optional.Equal(i.SnapshotID, set.SnapshotID) {
		return nil
	}
	if !hasSnapshot(i.Snapshots, *f.Poster) {
		return fmt.Errorf("set the poster: the item has no snapshot %s", f.Poster)
	}
	i.SnapshotID, set.SnapshotID = f.Poster, f.Poster
	return nil
}

func (s mediaSet) equal(other mediaSet) bool { return reflect.DeepEqual(s, other) }

// loadSet reads what earlier changes have set, if a change sets fields.
func loadSet(ctx context.Context, tx pgx.Tx, account, id uuid.UUID, f MediaFields) (set mediaSet, err error) {
	if f == (MediaFields{}) {
		return set, nil
	}
	raw, err := store.New(tx).MediaFields(ctx, store.MediaFieldsParams{AccountID: account, ID: id})
	if err != nil {
		return set, fmt.Errorf("read the fields that processing has set: %w", err)
	}
	if len(raw) == 0 {
		return set, nil
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return set, fmt.Errorf("decode the fields that processing has set: %w", err)
	}
	return set, nil
}

// storeSet stores what an item has from MediaFields.
func storeSet(ctx context.Context, tx pgx.Tx, account, id uuid.UUID, set mediaSet) error {
	if set == (mediaSet{}) {
		return nil
	}
	raw, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("encode the fields that processing has set: %w", err)
	}
	err = store.New(db.Deferred(tx)).SetMediaFields(ctx, store.SetMediaFieldsParams{
		AccountID: account, ID: id, MediaFields: raw,
	})
	if err != nil {
		return fmt.Errorf("store the fields that processing has set: %w", err)
	}
	return nil
}
