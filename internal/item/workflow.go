package item

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/optional"
)

// workflowPending is the status of an item with a workflow profile on which no action has run yet.
const workflowPending = "pending"

// endedStatuses are the statuses of an item whose run has ended.
var endedStatuses = []string{"completed", "failed", "cancelled"}

// withProfile returns an item's workflow for a profile: the present one if it has that profile already, nil without a
// profile. The version is that of another profile. The actor's role must see the profile, so that an actor cannot hide
// an item from itself.
func withProfile(
	ctx context.Context, q *store.Queries, actor account.Actor, present *ItemWorkflow, profile *uuid.UUID,
) (_ *ItemWorkflow, version int32, fault string, err error) {
	switch {
	case profile == nil:
		return nil, 0, "", nil
	case present != nil && present.ProfileID == *profile:
		return present, 0, "", nil
	}
	version, err = q.HoldWorkflowProfile(ctx, store.HoldWorkflowProfileParams{
		AccountID: actor.AccountID, ID: *profile, RoleID: actor.RoleParam(),
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, 0, "is no workflow profile that you can use", nil
	}
	if err != nil {
		return nil, 0, "", fmt.Errorf("hold workflow profile: %w", err)
	}
	return &ItemWorkflow{ProfileID: *profile, Status: workflowPending}, version, "", nil
}

// withDefault returns the workflow of a new item that takes the actor's default profile, and the profile's version; nil
// if none applies. A profile that has been deleted, or that the actor's role does not see, does not apply: no default
// makes a write fail.
func withDefault(
	ctx context.Context, q *store.Queries, actor account.Actor,
) (_ *ItemWorkflow, version int32, err error) {
	profile, err := q.HoldDefaultProfile(ctx, store.HoldDefaultProfileParams{
		AccountID: actor.AccountID, Ids: actor.DefaultProfiles(), RoleID: actor.RoleParam(),
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("hold default profile: %w", err)
	}
	return &ItemWorkflow{ProfileID: profile.ID, Status: workflowPending}, profile.Version, nil
}

// Workflows runs the workflows of items. Package workflow implements it: it imports this package, never the reverse.
type Workflows interface {
	// Begin starts the run of an item whose write has set a profile, with the profile's version, as part of tx, which
	// has locked the profile. It does nothing for a version without actions and tasks.
	Begin(ctx context.Context, tx pgx.Tx, actor account.Actor, itemID, profileID uuid.UUID, version int32,
		at time.Time) error

	// Ended returns WORKFLOW_RUNNING if the item's run has not ended.
	Ended(ctx context.Context, tx pgx.Tx, accountID, itemID uuid.UUID) error
}

// profile returns the workflow profile of an item; nil: none.
func (i *Item) profile() *uuid.UUID {
	if i.Workflow == nil {
		return nil
	}
	return &i.Workflow.ProfileID
}

// mayLeaveProfile returns WORKFLOW_RUNNING if a write gives an item another profile while its run has not ended.
func (s *Service) mayLeaveProfile(
	ctx context.Context, tx pgx.Tx, actor account.Actor, before, after *Item,
) error {
	if s.workflows == nil || before.Workflow == nil || optional.Equal(before.profile(), after.profile()) {
		return nil
	}
	return s.workflows.Ended(ctx, tx, actor.AccountID, before.ID)
}

// beginRun starts the run of an item that a write has given a profile, unless its run had ended before an import
// restored it. before is the item's earlier profile, and version that of the new one. The item's row has been written,
// perhaps deferred.
func (s *Service) beginRun(
	ctx context.Context, tx pgx.Tx, actor account.Actor, before *uuid.UUID, after *Item, version int32, at time.Time,
) error {
	if s.workflows == nil || after.Workflow == nil || optional.Equal(before, after.profile()) ||
		after.Workflow.Status != workflowPending {
		return nil
	}
	return s.workflows.Begin(ctx, tx, actor, after.ID, after.Workflow.ProfileID, version, at)
}

// LockForWorkflow locks an item as part of tx, which may be of another pool than the service's. An actor without a user
// is the system, which sees every item of its account. The caller has checked what the actor may do. After the commit
// the sequencer is woken. Error: NOT_FOUND.
func (s *Service) LockForWorkflow(ctx context.Context, tx pgx.Tx, actor account.Actor, id uuid.UUID) (Held, error) {
	db.AfterCommit(ctx, s.sequencer.Wake)
	return s.lock(ctx, store.New(tx), actor, id, nil)
}

// ReviseForWorkflow records the change to the next revision of a locked item, and returns the item as it is then. If
// nothing differs, it records nothing. A transaction may record several revisions, and ends with StoreForWorkflow.
// Error: FORBIDDEN if the actor's token would not show the result.
func (s *Service) ReviseForWorkflow(
	ctx context.Context, tx pgx.Tx, actor account.Actor, held Held, after *Item,
) (Held, error) {
	return s.recordRevision(ctx, tx, actor, held, after)
}

// StoreForWorkflow stores an item's row as the last ReviseForWorkflow of the transaction has returned it.
func (s *Service) StoreForWorkflow(ctx context.Context, tx pgx.Tx, actor account.Actor, held Held) error {
	return s.storeHeld(ctx, tx, actor, held)
}

// Publish makes an item public or unlisted with the authority of its workflow profile: nobody needs items.publish.
func (i *Item) Publish(privacy Privacy, at time.Time) {
	if i.Privacy == PrivacyPrivate {
		i.PublishedAt = &at
	}
	i.Privacy = privacy
}

// Archive makes an item private and adds tags. It returns what prevents it; "" for nothing.
func (i *Item) Archive(tags []string) (fault string) {
	all := cleanTags(append(slices.Clone(i.Tags), tags...))
	if len(all) > maxTags {
		return fmt.Sprintf("The item would have %d tags, and may have %d.", len(all), maxTags)
	}
	i.Privacy, i.PublishedAt, i.Tags = PrivacyPrivate, nil, all
	return ""
}

// maxTags is the limit of the contract.
const maxTags = 100
