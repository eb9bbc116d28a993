package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/validate"
)

const maxRoleName = 100 // characters

var errRoleNameTaken = problem.New(problem.Conflict, "There is a role with this name already. Choose another name.")

// RolePatch is a merge patch that mergepatch.Read has decoded: nil leaves a field as it is.
type RolePatch struct {
	Name        *string   `json:"name"`
	Permissions *[]string `json:"permissions"`
}

// check returns INVALID_INPUT with every fault of the given fields. Other fields are not checked, because an older
// version may have allowed their values.
func (p RolePatch) check() error {
	var invalid problem.Faults
	if p.Name != nil {
		invalid.At("#/name", validate.Name(*p.Name, 1, maxRoleName))
	}
	if p.Permissions != nil {
		for i, permission := range *p.Permissions {
			invalid.At(fmt.Sprintf("#/permissions/%d", i), Permission(permission).Fault())
		}
	}
	return invalid.Err(problem.InvalidInput)
}

// CreateRole creates a role. Needs users.manage, and every permission of the role. Errors: INVALID_INPUT with every
// fault; FORBIDDEN; CONFLICT when the name is taken.
func (s *Service) CreateRole(ctx context.Context, name string, permissions []string) (role Role, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return Role{}, err
	}
	name = plaintext.Composed(strings.TrimSpace(name))
	if err := (RolePatch{Name: &name, Permissions: &permissions}).check(); err != nil {
		return Role{}, err
	}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		if err := actor.RequireAll(permissions); err != nil {
			return err
		}
		id := uuid.Must(uuid.NewV7())
		if err := requireFreeName(ctx, q, actor, id, name); err != nil {
			return err
		}
		err := q.InsertRole(ctx, store.InsertRoleParams{ID: id, AccountID: actor.AccountID, Name: name,
			Permissions: Sorted(permissions)})
		if err != nil {
			return fmt.Errorf("insert role: %w", err)
		}
		if role, err = readRole(ctx, q, actor, id); err != nil {
			return err
		}
		return Audit(ctx, tx, roleCreated, rolePath(id), map[string]any{"name": role.Name, "permissions": role.Permissions})
	})
	return role, err
}

// requireFreeName returns CONFLICT when another role has the name, ignoring case. The caller holds the lock of change,
// so no other transaction can take the name meanwhile.
func requireFreeName(ctx context.Context, q *store.Queries, actor Actor, id uuid.UUID, name string) error {
	taken, err := q.RoleNameTaken(ctx, store.RoleNameTakenParams{AccountID: actor.AccountID, Name: name, ID: id})
	if err != nil {
		return fmt.Errorf("look up the name: %w", err)
	}
	if taken {
		return errRoleNameTaken
	}
	return nil
}

// PatchRole changes a role, with immediate effect on its users. Needs users.manage, and every permission of the role
// before and after. Errors: NOT_FOUND; REVISION_MISMATCH; INVALID_INPUT; FORBIDDEN; CONFLICT when the name is taken
// or no administrator would remain.
func (s *Service) PatchRole(ctx context.Context, id uuid.UUID, patch RolePatch,
	condition revision.Condition) (role Role, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return Role{}, err
	}
	if patch.Name != nil {
		patch.Name = new(plaintext.Composed(strings.TrimSpace(*patch.Name)))
	}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		before, err := readRole(ctx, q, actor, id)
		if err != nil {
			return err
		}
		if err := condition.Check(before.Revision); err != nil {
			return err
		}
		if err := patch.check(); err != nil {
			return err
		}
		role = before
		set(&role.Name, patch.Name)
		set(&role.Permissions, patch.Permissions)
		role.Permissions = Sorted(role.Permissions)
		if err := actor.RequireAll(append(slices.Clone(before.Permissions), role.Permissions...)); err != nil {
			return err
		}
		if role.Name != before.Name {
			if err := requireFreeName(ctx, q, actor, id, role.Name); err != nil {
				return err
			}
		}
		changed := changes{}
		changed.add("name", before.Name, role.Name)
		changed.add("permissions", strings.Join(before.Permissions, " "), strings.Join(role.Permissions, " "))
		if len(changed) == 0 {
			return nil
		}
		err = q.UpdateRole(ctx, store.UpdateRoleParams{AccountID: actor.AccountID, ID: id, Name: role.Name,
			Permissions: role.Permissions})
		if err != nil {
			return fmt.Errorf("update role: %w", err)
		}
		if role, err = readRole(ctx, q, actor, id); err != nil {
			return err
		}
		return Audit(ctx, tx, roleUpdated, rolePath(id), changed)
	})
	return role, err
}

// DeleteRole deletes an unused role. Needs users.manage, and every permission of the role. Errors: NOT_FOUND;
// REVISION_MISMATCH; FORBIDDEN; CONFLICT while users have it or a workflow profile is limited to it.
func (s *Service) DeleteRole(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return err
	}
	return s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		role, err := readRole(ctx, q, actor, id)
		if err != nil {
			return err
		}
		if err := condition.Check(role.Revision); err != nil {
			return err
		}
		if err := actor.RequireAll(role.Permissions); err != nil {
			return err
		}
		uses, err := q.RoleUses(ctx, store.RoleUsesParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return fmt.Errorf("count uses of the role: %w", err)
		}
		if uses.Users > 0 || uses.Profiles > 0 {
			return problem.New(problem.Conflict, "The role is in use (users: %d, workflow profiles: %d). "+
				"Give them another role first.", uses.Users, uses.Profiles)
		}
		if err := q.DeleteRole(ctx, store.DeleteRoleParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("delete role: %w", err)
		}
		return Audit(ctx, tx, roleDeleted, rolePath(id), map[string]any{"name": role.Name, "permissions": role.Permissions})
	})
}

// Sorted returns the permissions in the order of All, each once.
func Sorted(permissions []string) []string {
	out := []string{}
	for _, p := range All().Strings() {
		if slices.Contains(permissions, p) {
			out = append(out, p)
		}
	}
	return out
}
