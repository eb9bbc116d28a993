package account

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/problem"
)

var errNoAdministrator = problem.New(problem.Conflict,
	"No administrator would remain. There must be an active person with a password, api.access and users.manage: "+
		"appoint another one first.")

// requireAdministrator returns CONFLICT when no administrator remains.
func requireAdministrator(ctx context.Context, q *store.Queries, accountID uuid.UUID) error {
	remains, err := hasAdministrator(ctx, q, accountID, nil)
	if err == nil && !remains {
		return errNoAdministrator
	}
	return err
}

// requireEqualAdministrator returns CONFLICT after a change to an administrator when no administrator has all the
// permissions that this one had before: nobody could undo the change. The operator may make such a change.
func requireEqualAdministrator(ctx context.Context, q *store.Queries, actor Actor, before User) error {
	if actor.UserID == uuid.Nil || !before.Active || !slices.Contains(before.Permissions, string(UsersManage)) {
		return nil
	}
	remains, err := hasAdministrator(ctx, q, actor.AccountID, before.Permissions)
	if err == nil && !remains {
		return problem.New(problem.Conflict, "No other administrator has all the permissions of %s, so nobody "+
			"could undo this. Give another user such a role first, or run itemcast user on the server.", before.Email)
	}
	return err
}

// hasAdministrator reports whether the account has an administrator with all the permissions.
func hasAdministrator(ctx context.Context, q *store.Queries, accountID uuid.UUID, permissions []string) (bool, error) {
	n, err := q.Administrators(ctx, store.AdministratorsParams{AccountID: accountID, Permissions: permissions})
	if err != nil {
		return false, fmt.Errorf("count administrators: %w", err)
	}
	return n > 0, nil
}

// RequireAll returns FORBIDDEN when the actor lacks one of the permissions that a change grants, alters or revokes.
func (a Actor) RequireAll(permissions []string) error {
	for _, p := range permissions {
		if !a.Permissions.Has(Permission(p)) {
			return problem.New(problem.Forbidden, "This needs the permission %s, which your role lacks. "+
				"If no role has it, run itemcast role grant ROLE %s on the server.", p, p)
		}
	}
	return nil
}
