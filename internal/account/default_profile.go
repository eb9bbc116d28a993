package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
)

// defaultProfileField is the name of the field, of the account and of users.
const defaultProfileField = "default_workflow_profile_id"

// DefaultProfiles returns the workflow profiles for the actor's new items, in the order in which they apply: the user's
// default, then the account's. The first that exists and that the actor's role sees applies.
func (a Actor) DefaultProfiles() []uuid.UUID {
	var ids []uuid.UUID
	for _, id := range []*uuid.UUID{a.DefaultProfile, a.AccountProfile} {
		if id != nil {
			ids = append(ids, *id)
		}
	}
	return ids
}

// ProfilesRole returns the role whose workflow profiles the actor may read; nil: all profiles.
func (a Actor) ProfilesRole() *uuid.UUID {
	if a.Permissions.Has(WorkflowsManage) {
		return nil
	}
	return a.RoleParam()
}

// defaultProfileFault returns what is wrong with a default workflow profile that an actor sets; "" for nothing. The
// role is that of the user whose default it becomes; nil for the account's default, which applies only to roles that
// see the profile.
//
// The caller holds the lock of LockAccess, and so does who deletes a profile: it exists until the transaction ends.
func defaultProfileFault(ctx context.Context, q *store.Queries, actor Actor, id, role *uuid.UUID) (string, error) {
	if id == nil {
		return "", nil
	}
	row, err := q.DefaultProfile(ctx, store.DefaultProfileParams{AccountID: actor.AccountID, ID: *id,
		ActorRole: actor.ProfilesRole(), UserRole: role})
	switch {
	case errors.Is(err, pgx.ErrNoRows) || err == nil && !row.ActorSeesIt:
		return "is no workflow profile that you can see", nil
	case err != nil:
		return "", fmt.Errorf("read workflow profile: %w", err)
	case !row.UserSeesIt:
		return "is limited to other roles than the user's", nil
	}
	return "", nil
}

// ClearDefaultProfile prepares the deletion of a workflow profile: it is nobody's default any more. The audit log
// records each change. The caller holds the lock of LockAccess.
func ClearDefaultProfile(ctx context.Context, tx pgx.Tx, accountID, id uuid.UUID) error {
	q := store.New(tx)
	cleared := changes{defaultProfileField: {id, nil}}
	n, err := q.ClearAccountDefault(ctx, store.ClearAccountDefaultParams{AccountID: accountID, ProfileID: id})
	if err != nil {
		return fmt.Errorf("clear the account's default profile: %w", err)
	}
	if n > 0 {
		if err := Audit(ctx, tx, accountUpdated, accountPath, cleared); err != nil {
			return err
		}
	}
	users, err := q.ClearUserDefaults(ctx, store.ClearUserDefaultsParams{AccountID: accountID, ProfileID: id})
	if err != nil {
		return fmt.Errorf("clear users' default profiles: %w", err)
	}
	for _, user := range users {
		if err := Audit(ctx, tx, userUpdated, userPath(user), cleared); err != nil {
			return err
		}
	}
	return nil
}
