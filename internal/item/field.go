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

const maxFields = 200

var (
	errNoField       = problem.New(problem.NotFound, "There is no such metadata field.")
	errTooManyFields = problem.New(problem.RuleViolated, "An account has at most %d metadata fields; delete one first.", maxFields)
)

// Field is a metadata field of the account. Kind is text, number, bool, date or choice.
type Field struct {
	ID          uuid.UUID
	Key         string
	Label       string
	Description string
	Kind        string
	Choices     []string
	Required    bool
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// FieldPatch is a merge patch that mergepatch.Read has decoded: nil leaves a field as it is.
type FieldPatch struct {
	Label       *string   `json:"label"`
	Description *string   `json:"description"`
	Choices     *[]string `json:"choices"`
	Required    *bool     `json:"required"`
}

// Fields returns the account's metadata fields, by key.
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

// Field returns a metadata field. Error: NOT_FOUND.
func (s *Service) Field(ctx context.Context, id uuid.UUID) (Field, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return Field{}, err
	}
	row, err := store.New(db.Read(ctx, s.pool)).GetMetadataField(ctx, store.GetMetadataFieldParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return Field{}, errNoField
	}
	if err != nil {
		return Field{}, fmt.Errorf("read metadata field: %w", err)
	}
	return toField(row), nil
}

// CreateField makes a metadata field; f's id and times are set by it. Errors: RULE_VIOLATED, CONFLICT when the key is
// taken.
func (s *Service) CreateField(ctx context.Context, f Field) (Field, error) {
	actor, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Field{}, err
	}
	if f.Label == "" {
		f.Label = f.Key
	}
	if err := f.check(); err != nil {
		return Field{}, err
	}
	if f.Choices == nil {
		f.Choices = []string{}
	}
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		existing, err := q.ListMetadataFields(ctx, actor.AccountID)
		if err != nil {
			return fmt.Errorf("list metadata fields: %w", err)
		}
		if len(existing) >= maxFields {
			return errTooManyFields
		}
		row, err := q.InsertMetadataField(ctx, store.InsertMetadataFieldParams{ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID,
			Key: f.Key, Label: f.Label, Description: f.Description, Kind: f.Kind, Choices: f.Choices, Required: f.Required})
		if errors.Is(err, pgx.ErrNoRows) {
			return problem.New(problem.Conflict, "There is a metadata field with this key already.")
		}
		if err != nil {
			return fmt.Errorf("insert metadata field: %w", err)
		}
		f = toField(row)
		return nil
	})
	return f, err
}

// PatchField changes a metadata field. Errors: NOT_FOUND, RULE_VIOLATED.
func (s *Service) PatchField(ctx context.Context, id uuid.UUID, patch FieldPatch) (Field, error) {
	actor, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Field{}, err
	}
	f, err := s.Field(ctx, id)
	if err != nil {
		return Field{}, err
	}
	set(&f.Label, patch.Label)
	set(&f.Description, patch.Description)
	set(&f.Choices, patch.Choices)
	set(&f.Required, patch.Required)
	if err := f.check(); err != nil {
		return Field{}, err
	}
	row, err := store.New(s.pool).UpdateMetadataField(ctx, store.UpdateMetadataFieldParams{ID: id, AccountID: actor.AccountID,
		Label: f.Label, Description: f.Description, Choices: f.Choices, Required: f.Required})
	if errors.Is(err, pgx.ErrNoRows) {
		return Field{}, errNoField
	}
	if err != nil {
		return Field{}, fmt.Errorf("update metadata field: %w", err)
	}
	return toField(row), nil
}

// DeleteField removes a metadata field. Items keep their values of it until they are removed from each. Error:
// NOT_FOUND.
func (s *Service) DeleteField(ctx context.Context, id uuid.UUID) error {
	actor, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return err
	}
	n, err := store.New(s.pool).DeleteMetadataField(ctx, store.DeleteMetadataFieldParams{AccountID: actor.AccountID, ID: id})
	if err != nil {
		return fmt.Errorf("delete metadata field: %w", err)
	}
	if n == 0 {
		return errNoField
	}
	return nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func toField(row store.MetadataField) Field {
	return Field{ID: row.ID, Key: row.Key, Label: row.Label, Description: row.Description, Kind: row.Kind, Choices: row.Choices,
		Required: row.Required, CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC()}
}
