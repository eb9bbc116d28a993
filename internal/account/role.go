package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/validate"
)

var errNoRole = problem.New(problem.NotFound, "There is no such role.")

// Role is a set of permissions that users have by it.
type Role struct {
	ID          uuid.UUID
	Name        string
	Permissions []string // in the order of All
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Revision    int64
}

// RolePatch is a merge patch that mergepatch.Read has decoded: nil leaves a field as it is.
type RolePatch struct {
	Name        *string   `json:"name"`
	Permissions *[]string `json:"permissions"`
}

// Roles returns up to limit roles, newest first, from after on, which is empty or what an earlier call gave as next; next is empty at the
// end. Needs users.manage. Error: INVALID_CURSOR.
func (s *Service) Roles(ctx context.Context, limit int, after string) (roles []Role, next string, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, "roles")
	if err != nil {
		return nil, "", err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListRoles(ctx, store.ListRolesParams{AccountID: actor.AccountID, BeforeID: before, MaxRows: int32(limit + 1)})
	if err != nil {
		return nil, "", fmt.Errorf("list roles: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListRolesRow) string { return page.Token("roles", row.ID) })
	roles = make([]Role, len(rows))
	for i, row := range rows {
		roles[i] = toRole(store.GetRoleRow(row))
	}
	return roles, next, nil
}

// Role returns a role. Needs users.manage. Error: NOT_FOUND.
func (s *Service) Role(ctx context.Context, id uuid.UUID) (Role, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return Role{}, err
	}
	return getRole(ctx, store.New(db.Read(ctx, s.pool)), actor, id)
}

// RoleByName returns the role of a name, whatever its case. Needs users.manage. Error: NOT_FOUND.
func (s *Service) RoleByName(ctx context.Context, name string) (Role, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return Role{}, err
	}
	q := store.New(db.Read(ctx, s.pool))
	id, err := q.RoleByName(ctx, store.RoleByNameParams{AccountID: actor.AccountID, Name: name})
	if errors.Is(err, pgx.ErrNoRows) {
		return Role{}, problem.New(problem.NotFound, "There is no role %q.", name)
	}
	if err != nil {
		return Role{}, fmt.Errorf("find role: %w", err)
	}
	return getRole(ctx, q, actor, id)
}

func getRole(ctx context.Context, q *store.Queries, actor Actor, id uuid.UUID) (Role, error) {
	row, err := q.GetRole(ctx, store.GetRoleParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return Role{}, errNoRole
	}
	if err != nil {
		return Role{}, fmt.Errorf("read role: %w", err)
	}
	return toRole(row), nil
}

// CreateRole makes a role. Needs users.manage, and every permission of the role. Errors: INVALID_INPUT with every fault, FORBIDDEN, CONFLICT
// when the name is taken.
func (s *Service) CreateRole(ctx context.Context, name string, permissions []string) (Role, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return Role{}, err
	}
	name = strings.TrimSpace(name)
	if err := checkRole(RolePatch{&name, &permissions}); err != nil {
		return Role{}, err
	}
	var role Role
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		if err := actor.covers(permissions); err != nil {
			return err
		}
		id := uuid.Must(uuid.NewV7())
		if err := nameIsFree(ctx, q, actor, id, name); err != nil {
			return err
		}
		err := q.InsertRole(ctx, store.InsertRoleParams{ID: id, AccountID: actor.AccountID, Name: name, Permissions: sorted(permissions)})
		if err != nil {
			return fmt.Errorf("insert role: %w", err)
		}
		if role, err = getRole(ctx, q, actor, id); err != nil {
			return err
		}
		return Audit(ctx, tx, roleCreated, rolePath(id), map[string]any{"name": role.Name, "permissions": role.Permissions})
	})
	return role, err
}

var errNameTaken = problem.New(problem.Conflict, "There is a role with this name already.")

// nameIsFree refuses a name that another role has, whatever its case. Nobody else makes roles meanwhile.
func nameIsFree(ctx context.Context, q *store.Queries, actor Actor, id uuid.UUID, name string) error {
	taken, err := q.RoleNameTaken(ctx, store.RoleNameTakenParams{AccountID: actor.AccountID, Name: name, ID: id})
	if err != nil {
		return fmt.Errorf("look up the name: %w", err)
	}
	if taken {
		return errNameTaken
	}
	return nil
}

// PatchRole changes a role, and so what its users may do, at once. Needs users.manage, and every permission that the role has and gets.
// Errors: NOT_FOUND, REVISION_MISMATCH, INVALID_INPUT, FORBIDDEN, CONFLICT when the name is taken or nobody would be left who manages users.
func (s *Service) PatchRole(ctx context.Context, id uuid.UUID, patch RolePatch, condition revision.Condition) (Role, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return Role{}, err
	}
	var role Role
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		before, err := getRole(ctx, q, actor, id)
		if err != nil {
			return err
		}
		if err := condition.Check(before.Revision); err != nil {
			return err
		}
		role = before
		if patch.Name != nil {
			patch.Name = new(strings.TrimSpace(*patch.Name))
		}
		set(&role.Name, patch.Name)
		set(&role.Permissions, patch.Permissions)
		if err := checkRole(patch); err != nil {
			return err
		}
		role.Permissions = sorted(role.Permissions)
		if err := actor.covers(append(slices.Clone(before.Permissions), role.Permissions...)); err != nil {
			return err
		}
		if role.Name != before.Name {
			if err := nameIsFree(ctx, q, actor, id, role.Name); err != nil {
				return err
			}
		}
		noted := changes{}
		noted.note("name", before.Name, role.Name)
		noted.note("permissions", strings.Join(before.Permissions, " "), strings.Join(role.Permissions, " "))
		if len(noted) == 0 {
			return nil
		}
		err = q.UpdateRole(ctx, store.UpdateRoleParams{AccountID: actor.AccountID, ID: id, Name: role.Name, Permissions: role.Permissions})
		if err != nil {
			return fmt.Errorf("update role: %w", err)
		}
		if role, err = getRole(ctx, q, actor, id); err != nil {
			return err
		}
		return Audit(ctx, tx, roleUpdated, rolePath(id), noted)
	})
	return role, err
}

// DeleteRole deletes a role that nothing uses. Needs users.manage, and every permission of the role. Errors: NOT_FOUND, REVISION_MISMATCH,
// FORBIDDEN, CONFLICT while users have it or a workflow profile is limited to it.
func (s *Service) DeleteRole(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return err
	}
	return s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		role, err := getRole(ctx, q, actor, id)
		if err != nil {
			return err
		}
		if err := condition.Check(role.Revision); err != nil {
			return err
		}
		if err := actor.covers(role.Permissions); err != nil {
			return err
		}
		uses, err := q.RoleUses(ctx, store.RoleUsesParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return fmt.Errorf("count uses of the role: %w", err)
		}
		if uses.Users > 0 || uses.Profiles > 0 {
			return problem.New(problem.Conflict, "The role is in use (users: %d, workflow profiles: %d); give them another one before.", uses.Users, uses.Profiles)
		}
		if err := q.DeleteRole(ctx, store.DeleteRoleParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("delete role: %w", err)
		}
		return Audit(ctx, tx, roleDeleted, rolePath(id), map[string]any{"name": role.Name, "permissions": role.Permissions})
	})
}

// checkRole checks what is given, and not what is kept from before there was a rule. Error: INVALID_INPUT with every fault.
func checkRole(given RolePatch) error {
	var invalid problem.Faults
	if given.Name != nil {
		invalid.At("#/name", validate.Name(*given.Name, 1, 100))
	}
	if given.Permissions != nil {
		for i, p := range *given.Permissions {
			if !All().Has(Permission(p)) {
				invalid.At(fmt.Sprintf("#/permissions/%d", i), "is no permission")
			}
		}
	}
	return invalid.Err(problem.InvalidInput)
}

// sorted has each permission once, in the order of All.
func sorted(permissions []string) []string {
	out := []string{}
	for _, p := range All().Strings() {
		if slices.Contains(permissions, p) {
			out = append(out, p)
		}
	}
	return out
}

func toRole(row store.GetRoleRow) Role {
	role := Role(row)
	role.CreatedAt, role.UpdatedAt = row.CreatedAt.UTC(), row.UpdatedAt.UTC()
	return role
}

// UnknownRoles returns those of the ids that are not roles of the account. It locks the account's roles until the transaction ends, so that the
// others cannot be deleted meanwhile.
func UnknownRoles(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, ids []uuid.UUID) ([]uuid.UUID, error) {
	q := store.New(tx)
	if err := q.LockAccess(ctx, accountID); err != nil {
		return nil, fmt.Errorf("lock access: %w", err)
	}
	unknown, err := q.UnknownRoles(ctx, store.UnknownRolesParams{AccountID: accountID, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("look up roles: %w", err)
	}
	return unknown, nil
}
