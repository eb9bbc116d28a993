package workflow

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/hook"
	"itemcast/internal/workflow/internal/store"
)

// Hooks keeps the hooks through which the tasks of a profile are sent.
type Hooks interface {
	// SyncWorkflow makes or updates the hooks of a profile's tasks in tx. Those of earlier tasks stay, because a run
	// keeps the version with which it began.
	SyncWorkflow(ctx context.Context, tx pgx.Tx, w hook.WorkflowHooks) error
	// EndWorkflow removes the hooks of a profile that tx deletes, once they have sent what is recorded.
	EndWorkflow(ctx context.Context, tx pgx.Tx, accountID, profileID uuid.UUID) error
}

// syncHooks brings the hooks of a profile up to date after a change of its tasks or its secret.
func (s *Service) syncHooks(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, p stored) error {
	row, err := store.New(tx).WorkflowSecrets(ctx, store.WorkflowSecretsParams{AccountID: accountID, ID: p.ID})
	if err != nil {
		return fmt.Errorf("read the secrets of a workflow profile: %w", err)
	}
	hooks := hook.WorkflowHooks{AccountID: accountID, ProfileID: p.ID, Secret: row.Secret, OldSecret: row.OldSecret,
		OldSecretUntil: row.OldSecretUntil}
	for _, t := range p.definition.Tasks {
		hooks.Tasks = append(hooks.Tasks, hook.WorkflowTask{Key: t.Key, URL: t.URL, Headers: t.Headers})
	}
	return s.hooks.SyncWorkflow(ctx, tx, hooks)
}
