package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
	"itemcast/internal/workflow/internal/store"
)

// Hooks keeps the hooks through which the tasks of a profile are sent.
type Hooks interface {
	// SyncWorkflow makes or updates the hooks of a profile's tasks in tx. Those of earlier tasks stay, because a run
	// keeps the version with which it began.
	SyncWorkflow(ctx context.Context, tx pgx.Tx, w hook.WorkflowHooks) error
	// RetireWorkflow lets the hooks of a profile go, except for those of the URLs that are needed.
	RetireWorkflow(ctx context.Context, tx pgx.Tx, accountID, profileID uuid.UUID, needed []string) error
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

// retireHooks lets the hooks of a locked profile go whose URLs neither its tasks nor those of an unfinished run need.
func (s *Service) retireHooks(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, p stored) error {
	numbers, err := store.New(tx).UnfinishedVersions(ctx, store.UnfinishedVersionsParams{
		AccountID: accountID, ProfileID: p.ID})
	if err != nil {
		return fmt.Errorf("read the versions of unfinished runs: %w", err)
	}
	versions := make([]versionKey, len(numbers))
	for n, number := range numbers {
		versions[n] = versionKey{p.ID, number}
	}
	definitions, err := s.definitionsOf(ctx, tx, accountID, versions)
	if err != nil {
		return err
	}
	var needed []string
	for _, t := range p.definition.Tasks {
		needed = append(needed, t.URL)
	}
	for _, d := range definitions {
		for _, t := range d.Tasks {
			needed = append(needed, t.URL)
		}
	}
	return s.hooks.RetireWorkflow(ctx, tx, accountID, p.ID, needed)
}

// hookPause is the time between two looks for hooks that nothing needs any more, ±20 %.
const hookPause = 10 * time.Minute

// sweepHooks lets hooks go that only runs needed which have ended since.
func (s *Service) sweepHooks(ctx context.Context) {
	for wake.Pause(ctx, around(hookPause)) {
		if err := s.sweepHooksOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot look for hooks of workflow profiles that nothing needs; retrying later", "error", err)
		}
	}
}

func (s *Service) sweepHooksOnce(ctx context.Context) error {
	profiles, err := store.New(s.moves).ProfilesWithOldHooks(ctx, sweepRows)
	if err != nil {
		return fmt.Errorf("look for old hooks: %w", err)
	}
	for _, row := range profiles {
		err := db.Write(ctx, s.moves, func(ctx context.Context, tx pgx.Tx) error {
			p, err := lock(ctx, store.New(tx), account.Actor{AccountID: row.AccountID}, row.ID, nil)
			if problem.Is(err, problem.NotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			return s.retireHooks(ctx, tx, row.AccountID, p)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
