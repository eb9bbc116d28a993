package item

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
)

var errNoField = problem.New(problem.NotFound, "There is no such metadata field.")

// Field is a metadata field of the account. Items have values for it.
type Field struct {
	ID          uuid.UUID
	Key         string
	Label       string
	Description string
	Kind        string   // text, number, bool, date or choice
	Choices     []string // of a field of kind choice
	Required    bool
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Revision    int64
}

// Fields returns the account's metadata fields, by key. Needs items.view.
func (s *Service) Fields(ctx context.Context) ([]Field, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListMetadataFields(ctx, actor.AccountID)
	if err != nil {
		return nil, fmt.Errorf("list metadata fields: %w", err)
	}
	fields := make([]Field, len(rows))
	for i, row := range rows {
		fields[i] = toField(row)
	}
	return fields, nil
}

// Field returns a metadata field. Needs items.view. Error: NOT_FOUND.
func (s *Service) Field(ctx context.Context, id uuid.UUID) (Field, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return Field{}, err
	}
	q := store.New(db.Read(ctx, s.pool))
	row, err := q.GetMetadataField(ctx, store.GetMetadataFieldParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return Field{}, errNoField
	}
	if err != nil {
		return Field{}, fmt.Errorf("read metadata field: %w", err)
	}
	return toField(row), nil
}

func toField(row store.MetadataField) Field {
	return Field{
		ID: row.ID, Key: row.Key, Label: row.Label, Description: row.Description, Kind: row.Kind, Choices: row.Choices,
		Required: row.Required, CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(), Revision: row.Revision,
	}
}
