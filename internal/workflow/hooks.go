package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// Hooks keeps the hooks through which the tasks of a profile are sent: one for each URL. They are not among the
// account's hooks.
type Hooks interface {
	// SyncWorkflow makes or updates the hooks of a profile in tx. Hooks for the URLs of older versions stay: runs that
	// began with them use them.
	SyncWorkflow(ctx context.Context, tx pgx.Tx, p TaskHooks) error
}

// TaskHooks are the tasks of a profile, and how they are signed.
type TaskHooks struct {
	AccountID      uuid.UUID
	ProfileID      uuid.UUID
	Secret         string
	OldSecret      *string // also signs, until OldSecretUntil
	OldSecretUntil *time.Time
	Tasks          []machine.Task // with the values of headers
}

// syncHooks brings the hooks of a profile up to date after a change of its tasks or its secret.
func (s *Service) syncHooks(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, p stored) error {
	if s.hooks == nil {
		return nil
	}
	row, err := store.New(tx).WorkflowSecrets(ctx, store.WorkflowSecretsParams{AccountID: accountID, ID: p.ID})
	if err != nil {
		return fmt.Errorf("read the secrets of a workflow profile: %w", err)
	}
	if row.Secret == nil {
		return nil // there has never been a task
	}
	return s.hooks.SyncWorkflow(ctx, tx, TaskHooks{AccountID: accountID, ProfileID: p.ID, Secret: *row.Secret,
		OldSecret: row.OldSecret, OldSecretUntil: row.OldSecretUntil, Tasks: p.definition.Tasks})
}
