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

// workflowPending is the status of an item with a workflow profile on which no action has run yet.
const workflowPending = "pending"

// withProfile returns an item's workflow for a profile: the present one if it has that profile already, nil without a
// profile. The actor's role must see the profile, so that an actor cannot hide an item from itself.
func withProfile(
	ctx context.Context, q *store.Queries, actor account.Actor, present *ItemWorkflow, profile *uuid.UUID,
) (_ *ItemWorkflow, fault string, err error) {
	switch {
	case profile == nil:
		return nil, "", nil
	case present != nil && present.ProfileID == *profile:
		return present, "", nil
	}
	id, err := q.HoldWorkflowProfile(ctx, store.HoldWorkflowProfileParams{
		AccountID: actor.AccountID, ID: *profile, RoleID: actor.RoleParam(),
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, "is no workflow profile that you can use", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("hold workflow profile: %w", err)
	}
	return &ItemWorkflow{ProfileID: id, Status: workflowPending}, "", nil
}

// withDefault returns the workflow of a new item that takes the actor's default profile; nil if none applies. A profile
// that has been deleted, or that the actor's role does not see, does not apply: no default makes a write fail.
func withDefault(ctx context.Context, q *store.Queries, actor account.Actor) (*ItemWorkflow, error) {
	id, err := q.HoldDefaultProfile(ctx, store.HoldDefaultProfileParams{
		AccountID: actor.AccountID, Ids: actor.DefaultProfiles(), RoleID: actor.RoleParam(),
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("hold default profile: %w", err)
	}
	return &ItemWorkflow{ProfileID: id, Status: workflowPending}, nil
}
