package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/workflow/internal/store"
)

// The actions of this package in the audit log.
const (
	profileCreated = "workflow-profile.created"
	profileUpdated = "workflow-profile.updated"
	profileDeleted = "workflow-profile.deleted"
)

func subject(id uuid.UUID) string { return list + "/" + id.String() }

var (
	errNameTaken = problem.New(problem.Conflict,
		"There is a workflow profile with this name already. Choose another name.")
	errInUse = problem.New(problem.Conflict,
		"Items have this workflow profile, including items that you may not see. Give them another profile first.")
)

// CreateProfile creates a profile. Needs workflows.manage. Errors: INVALID_INPUT and RULE_VIOLATED with every fault;
// CONFLICT when the name is taken.
func (s *Service) CreateProfile(ctx context.Context, in ProfileInput) (Profile, error) {
	_, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Profile{}, err
	}
	in = in.normalized()
	if err := in.check(""); err != nil {
		return Profile{}, err
	}
	var profile Profile
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		if err := checkRoles(ctx, tx, actor.AccountID, in.RoleIDs); err != nil {
			return err
		}
		row, err := q.InsertWorkflowProfile(ctx, store.InsertWorkflowProfileParams{ID: uuid.Must(uuid.NewV7()),
			AccountID: actor.AccountID, Name: in.Name, Description: in.Description, RoleIds: in.RoleIDs})
		if errors.Is(err, pgx.ErrNoRows) {
			return errNameTaken
		}
		if err != nil {
			return fmt.Errorf("insert workflow profile: %w", err)
		}
		profile = toProfile(store.GetWorkflowProfileRow(row))
		return account.Audit(ctx, tx, profileCreated, subject(profile.ID),
			map[string]any{"name": profile.Name, "role_ids": profile.RoleIDs})
	})
	return profile, err
}

// PatchProfile changes a profile. New roles take effect on its items at once; the items do not change, so the log
// records nothing. A patch that alters nothing writes nothing. Needs workflows.manage. Errors: as CreateProfile;
// NOT_FOUND; REVISION_MISMATCH.
func (s *Service) PatchProfile(ctx context.Context, id uuid.UUID, patch ProfilePatch,
	condition revision.Condition) (Profile, error) {
	_, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Profile{}, err
	}
	var profile Profile
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		before, err := lock(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		in := patch.applied(before)
		if err := in.check(before.Name); err != nil {
			return err
		}
		if err := checkRoles(ctx, tx, actor.AccountID, in.RoleIDs); err != nil {
			return err
		}
		if err := checkName(ctx, q, actor, id, in.Name); err != nil {
			return err
		}
		if in.Name == before.Name && in.Description == before.Description && slices.Equal(in.RoleIDs, before.RoleIDs) {
			profile = before
			return nil
		}
		row, err := q.UpdateWorkflowProfile(ctx, store.UpdateWorkflowProfileParams{AccountID: actor.AccountID, ID: id,
			Name: in.Name, Description: in.Description, RoleIds: in.RoleIDs})
		if err != nil {
			return fmt.Errorf("update workflow profile: %w", err)
		}
		profile = toProfile(store.GetWorkflowProfileRow(row))
		return account.Audit(ctx, tx, profileUpdated, subject(id), map[string]any{
			"name": [2]string{before.Name, profile.Name}, "role_ids": [2][]uuid.UUID{before.RoleIDs, profile.RoleIDs}})
	})
	return profile, err
}

// DeleteProfile deletes a profile. Needs workflows.manage. Errors: NOT_FOUND; REVISION_MISMATCH; CONFLICT when an
// item has it.
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
		used, err := q.WorkflowProfileInUse(ctx, store.WorkflowProfileInUseParams{AccountID: actor.AccountID, ID: &id})
		if err != nil {
			return fmt.Errorf("look for items of the workflow profile: %w", err)
		}
		if used {
			return errInUse
		}
		err = q.DeleteWorkflowProfile(ctx, store.DeleteWorkflowProfileParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return fmt.Errorf("delete workflow profile: %w", err)
		}
		return account.Audit(ctx, tx, profileDeleted, subject(id), map[string]any{"name": profile.Name})
	})
}

// lock locks the profile's row, and checks its revision. A write that assigns the profile to an item waits.
func lock(ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID,
	condition revision.Condition) (Profile, error) {
	row, err := q.LockWorkflowProfile(ctx, store.LockWorkflowProfileParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return Profile{}, errNoProfile
	}
	if err != nil {
		return Profile{}, fmt.Errorf("lock workflow profile: %w", err)
	}
	return toProfile(store.GetWorkflowProfileRow(row)), condition.Check(row.Revision)
}

// checkName returns CONFLICT when another profile has the name.
func checkName(ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID, name string) error {
	taken, err := q.WorkflowProfileNameTaken(ctx, store.WorkflowProfileNameTakenParams{AccountID: actor.AccountID,
		Name: name, ID: id})
	if err != nil {
		return fmt.Errorf("look up the name: %w", err)
	}
	if taken {
		return errNameTaken
	}
	return nil
}
