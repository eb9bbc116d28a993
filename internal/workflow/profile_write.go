package workflow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/standardwebhooks"
	"itemcast/internal/workflow/internal/store"
)

var errNameTaken = problem.New(problem.Conflict,
	"There is a workflow profile with this name already. Choose another name.")

// CreateProfile creates a profile. The first task makes the secret with which tasks are signed; RotateSecret shows
// another. Needs workflows.manage. Errors: INVALID_INPUT or RULE_VIOLATED with every fault; CONFLICT when the name is
// taken.
func (s *Service) CreateProfile(ctx context.Context, in ProfileInput) (Profile, error) {
	_, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Profile{}, err
	}
	in = in.normalized()
	var f findings
	unmask(in.Tasks, nil, &f)
	var profile Profile
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		all := given{name: true, roles: true, actions: true, tasks: true, uploads: true}
		if err := s.check(ctx, tx, actor.AccountID, &in, all, &f); err != nil {
			return err
		}
		made, err := s.insert(ctx, tx, actor, in)
		if err != nil {
			return err
		}
		profile = made.shownTo(actor)
		return auditCreated(ctx, tx, made, nil)
	})
	return profile, err
}

// insert inserts a profile with its first version. Error: CONFLICT when the name is taken.
func (s *Service) insert(ctx context.Context, tx pgx.Tx, actor account.Actor, in ProfileInput) (stored, error) {
	columns, err := encodeDefinition(in.definition())
	if err != nil {
		return stored{}, err
	}
	uploads, err := encodeUploads(in.Uploads)
	if err != nil {
		return stored{}, err
	}
	row, err := store.New(tx).InsertWorkflowProfile(ctx, store.InsertWorkflowProfileParams{ID: uuid.Must(uuid.NewV7()),
		AccountID: actor.AccountID, Name: in.Name, Description: in.Description, RoleIds: in.RoleIDs,
		Actions: columns.actions, Tasks: columns.tasks, Uploads: uploads, Secret: in.newSecret()})
	if errors.Is(err, pgx.ErrNoRows) {
		return stored{}, errNameTaken
	}
	if err != nil {
		return stored{}, fmt.Errorf("insert workflow profile: %w", err)
	}
	profile, err := fromRow(store.GetWorkflowProfileRow(row))
	if err != nil {
		return stored{}, err
	}
	if err := insertVersion(ctx, tx, actor.AccountID, profile); err != nil {
		return stored{}, err
	}
	if len(in.Tasks) == 0 {
		return profile, nil
	}
	return profile, s.syncHooks(ctx, tx, actor.AccountID, profile)
}

// newSecret returns a secret for a profile that has tasks and no secret yet; nil without tasks.
func (in ProfileInput) newSecret() *string {
	if len(in.Tasks) == 0 {
		return nil
	}
	return new(standardwebhooks.NewSecret().Text())
}

// PatchProfile changes a profile. New roles take effect on its items at once; the items do not change, so the log
// records nothing. New actions or tasks are a new version: a run goes on with the version with which it began. A patch
// that alters nothing writes nothing. Needs workflows.manage. Errors: as CreateProfile; NOT_FOUND; REVISION_MISMATCH.
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
		var f findings
		in, part := patch.applied(before, &f)
		if err := s.check(ctx, tx, actor.AccountID, &in, part, &f); err != nil {
			return err
		}
		if err := checkName(ctx, q, actor, id, in.Name); err != nil {
			return err
		}
		after, err := s.update(ctx, tx, actor, before, in)
		if err != nil {
			return err
		}
		profile = after.shownTo(actor)
		return nil
	})
	return profile, err
}

// update stores the input, if it differs from the profile, and returns the profile.
func (s *Service) update(ctx context.Context, tx pgx.Tx, actor account.Actor, before stored, in ProfileInput) (
	stored, error) {
	newActions, newTasks, columns, err := differences(before.definition, in.definition())
	if err != nil {
		return stored{}, err
	}
	oldUploads, err := encodeUploads(before.Uploads)
	if err != nil {
		return stored{}, err
	}
	uploads, err := encodeUploads(in.Uploads)
	if err != nil {
		return stored{}, err
	}
	version := before.Version
	if newActions || newTasks {
		version++
	} else if in.Name == before.Name && in.Description == before.Description &&
		slices.Equal(in.RoleIDs, before.RoleIDs) && bytes.Equal(uploads, oldUploads) {
		return before, nil
	}
	row, err := store.New(tx).UpdateWorkflowProfile(ctx, store.UpdateWorkflowProfileParams{AccountID: actor.AccountID,
		ID: before.ID, Name: in.Name, Description: in.Description, RoleIds: in.RoleIDs, Version: version,
		Actions: columns.actions, Tasks: columns.tasks, Uploads: uploads, Secret: in.newSecret()})
	if err != nil {
		return stored{}, fmt.Errorf("update workflow profile: %w", err)
	}
	after, err := fromRow(store.GetWorkflowProfileRow(row))
	if err != nil {
		return stored{}, err
	}
	if version > before.Version {
		if err := insertVersion(ctx, tx, actor.AccountID, after); err != nil {
			return stored{}, err
		}
	}
	if newTasks {
		if err := s.syncHooks(ctx, tx, actor.AccountID, after); err != nil {
			return stored{}, err
		}
		if err := s.retireHooks(ctx, tx, actor.AccountID, after); err != nil {
			return stored{}, err
		}
	}
	return after, auditUpdated(ctx, tx, before, after)
}

// lock locks the profile's row, and checks its revision. A write that assigns the profile to an item waits.
func lock(ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID,
	condition revision.Condition) (stored, error) {
	row, err := q.LockWorkflowProfile(ctx, store.LockWorkflowProfileParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return stored{}, errNoProfile
	}
	if err != nil {
		return stored{}, fmt.Errorf("lock workflow profile: %w", err)
	}
	if err := condition.Check(row.Revision); err != nil {
		return stored{}, err
	}
	return fromRow(store.GetWorkflowProfileRow(row))
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
