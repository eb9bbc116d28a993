package workflow

import (
	"context"
	"fmt"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// Inbox returns a function that reports whether a workflow waits for the actor, as it was before or after a change:
// for a person with the actor's role, or with any. The definition is that of the run which the change belongs to,
// whatever its profile has become. Needs items.view. Nothing waits for an actor without workflows.act.
func (s *Service) Inbox(ctx context.Context) (
	waits func(ctx context.Context, c *change.Change, w item.ItemWorkflow) (bool, error), err error,
) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	mayAct := actor.Permissions.Has(account.WorkflowsAct)
	return func(ctx context.Context, c *change.Change, w item.ItemWorkflow) (bool, error) {
		if !mayAct || w.Status != string(machine.Waiting) || w.CurrentAction == nil {
			return false, nil
		}
		is, err := store.New(db.Read(ctx, s.pool)).WaitsForRole(ctx, store.WaitsForRoleParams{
			AccountID: c.AccountID, ItemID: c.ItemID, ProfileID: w.ProfileID, Action: *w.CurrentAction, At: c.OccurredAt,
			RoleID: actor.RoleID.String(),
		})
		if err != nil {
			return false, fmt.Errorf("read the roles of an action: %w", err)
		}
		return is, nil
	}, nil
}
