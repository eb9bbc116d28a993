package item

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/item/internal/store"
)

// workflowPending is the status of an item that has been given a workflow profile, and of which nothing has been done yet.
const workflowPending = "pending"

// onProfile is the workflow of an item that is to be on a profile: that which it has, when it is on it already. Without a profile it has none.
// A profile that the actor's role does not see is none of the account's, to the actor; so nobody puts an item out of their own sight.
func onProfile(ctx context.Context, q *store.Queries, actor account.Actor, now *ItemWorkflow, profile *uuid.UUID) (_ *ItemWorkflow, fault string, err error) {
	switch {
	case profile == nil:
		return nil, "", nil
	case now != nil && now.ProfileID == *profile:
		return now, "", nil
	}
	id, err := q.HoldWorkflowProfile(ctx, store.HoldWorkflowProfileParams{AccountID: actor.AccountID, ID: *profile, RoleID: actor.RoleIn()})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, "is no workflow profile that you can use", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("hold workflow profile: %w", err)
	}
	return &ItemWorkflow{ProfileID: id, Status: workflowPending}, "", nil
}
