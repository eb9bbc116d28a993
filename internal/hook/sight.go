package hook

import (
	"context"

	"itemcast/internal/account"
)

// sight says which deliveries an actor sees. All need hooks.manage. Those of workflows' tasks need workflows.manage,
// too, because errors in their log name the host of a task's URL.
type sight struct{ tasks bool }

// authorizeDeliveries returns the actor of ctx and what it sees. Errors: UNAUTHENTICATED, FORBIDDEN.
func authorizeDeliveries(ctx context.Context) (account.Actor, sight, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	return actor, sight{tasks: actor.Permissions.Has(account.WorkflowsManage)}, err
}
