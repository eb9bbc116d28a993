package workflow

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/workflow/internal/store"
)

// DeleteProfile deletes a profile. Where it is the default of the account or of a user, there is none afterwards. Its
// versions stay, because the history of runs shows them. Needs workflows.manage. Errors: NOT_FOUND;
// REVISION_MISMATCH; CONFLICT, with the numbers, while items have it or its runs have not ended.
func (s *Service) DeleteProfile(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	_, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		profile, err := lock(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		uses, err := q.WorkflowProfileUses(ctx, store.WorkflowProfileUsesParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return fmt.Errorf("count the uses of the workflow profile: %w", err)
		}
		if uses.Items > 0 || uses.Runs > 0 {
			return errInUse(uses.Items, uses.Runs)
		}
		if err := account.ClearDefaultProfile(ctx, tx, actor.AccountID, id); err != nil {
			return err
		}
		err = q.DeleteWorkflowProfile(ctx, store.DeleteWorkflowProfileParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return fmt.Errorf("delete workflow profile: %w", err)
		}
		if err := s.hooks.EndWorkflow(ctx, tx, actor.AccountID, id); err != nil {
			return err
		}
		return account.Audit(ctx, tx, profileDeleted, subject(id), map[string]any{"name": profile.Name})
	})
}

// errInUse says what prevents a deletion. It counts items that the actor may not see.
func errInUse(items, runs int64) error {
	return problem.New(problem.Conflict, "The workflow profile is in use (items: %d, runs that have not ended: %d), also "+
		"by items that you may not see. Wait for the runs or cancel them, then give the items another profile.",
		items, runs)
}
