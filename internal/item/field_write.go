package item

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

const maxFields = 200 // of an account

var (
	errKeyTaken = problem.New(problem.Conflict,
		"There is a metadata field with this key already. Choose another key.")
	errTooManyFields = problem.New(problem.RuleViolated,
		"An account has at most %d metadata fields. Delete one first.", maxFields)
)

// FieldPatch is a merge patch that mergepatch.Read has decoded: nil leaves a field as it is.
type FieldPatch struct {
	Label       *string   `json:"label"`
	Description *string   `json:"description"`
	Choices     *[]string `json:"choices"`
	Required    *bool     `json:"required"`
}

// CreateField creates a metadata field. It ignores the id, the times and the revision of f, and the label defaults to
// the key. Needs workflows.manage. Errors: INVALID_INPUT with every fault; RULE_VIOLATED; CONFLICT when the key is
// taken.
func (s *Service) CreateField(ctx context.Context, f Field) (Field, error) {
	actor, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Field{}, err
	}
	if f.Label == "" {
		f.Label = f.Key
	}
	f.compose()
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
		row, err := q.InsertMetadataField(ctx, store.InsertMetadataFieldParams{
			ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID, Key: f.Key, Label: f.Label,
			Description: f.Description, Kind: f.Kind, Choices: f.Choices, Required: f.Required,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return errKeyTaken
		}
		if err != nil {
			return fmt.Errorf("insert metadata field: %w", err)
		}
		f = toField(row)
		return nil
	})
	return f, err
}

// PatchField changes a metadata field. A patch that changes nothing does not raise the revision. Needs
// workflows.manage. Errors: NOT_FOUND; REVISION_MISMATCH; INVALID_INPUT with every fault; RULE_VIOLATED.
func (s *Service) PatchField(
	ctx context.Context, id uuid.UUID, patch FieldPatch, condition revision.Condition,
) (f Field, err error) {
	actor, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Field{}, err
	}
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		before, err := lockField(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		f = patch.applied(before)
		f.compose()
		if err := f.check(); err != nil {
			return err
		}
		if f.equal(before) {
			return nil
		}
		row, err := q.UpdateMetadataField(ctx, store.UpdateMetadataFieldParams{
			AccountID: actor.AccountID, ID: id, Label: f.Label, Description: f.Description, Choices: f.Choices,
			Required: f.Required,
		})
		if err != nil {
			return fmt.Errorf("update metadata field: %w", err)
		}
		f = toField(row)
		return nil
	})
	return f, err
}

// DeleteField deletes a metadata field. Items keep their values of it. Needs workflows.manage. Errors: NOT_FOUND;
// REVISION_MISMATCH.
func (s *Service) DeleteField(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	actor, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		if _, err := lockField(ctx, q, actor, id, condition); err != nil {
			return err
		}
		err := q.DeleteMetadataField(ctx, store.DeleteMetadataFieldParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return fmt.Errorf("delete metadata field: %w", err)
		}
		return nil
	})
}

// lockField locks a metadata field until the transaction ends. Errors: NOT_FOUND, REVISION_MISMATCH.
func lockField(
	ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID, condition revision.Condition,
) (Field, error) {
	row, err := q.LockMetadataField(ctx, store.LockMetadataFieldParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return Field{}, errNoField
	}
	if err != nil {
		return Field{}, fmt.Errorf("lock metadata field: %w", err)
	}
	return toField(row), condition.Check(row.Revision)
}

// applied returns the field that the patch makes of f.
func (p FieldPatch) applied(f Field) Field {
	set(&f.Label, p.Label)
	set(&f.Description, p.Description)
	set(&f.Choices, p.Choices)
	set(&f.Required, p.Required)
	return f
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// equal compares what a patch can change.
func (f Field) equal(other Field) bool {
	return f.Label == other.Label && f.Description == other.Description && slices.Equal(f.Choices, other.Choices) &&
		f.Required == other.Required
}
