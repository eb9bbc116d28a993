package hook

import (
	"context"

	"itemcast/internal/account"
)

// sight says which deliveries an actor sees: those of hooks need hooks.manage, those of workflows' tasks
// workflows.manage. Errors in a task's log name the host of its URL, which is for workflows.manage only.
type sight struct{ hooks, tasks bool }

// authorizeDeliveries returns the actor of ctx and what it sees. Errors: UNAUTHENTICATED; FORBIDDEN when it sees
// nothing.
func authorizeDeliveries(ctx context.Context) (account.Actor, sight, error) {
	actor, err := account.AuthorizeAny(ctx, account.HooksManage, account.WorkflowsManage)
	has := actor.Permissions.Has
	return actor, sight{hooks: has(account.HooksManage), tasks: has(account.WorkflowsManage)}, err
}
