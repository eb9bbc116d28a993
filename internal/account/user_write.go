package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/password"
	"itemcast/internal/db"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

var errEmailTaken = problem.New(problem.Conflict,
	"There is a user with this e-mail address already. Use another address.")

// CreateUser creates a user, and returns the generated password of an API user; "" for a user without one. Needs
// users.manage, and every permission of the role; an access token can create users without a password only. Errors:
// INVALID_INPUT and RULE_VIOLATED with every fault; FORBIDDEN; CONFLICT when the address is taken.
func (s *Service) CreateUser(ctx context.Context, in UserInput) (user User, generated string, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return User{}, "", err
	}
	generated, broken, err := in.normalize()
	if err != nil {
		return User{}, "", err
	}
	hash := ""
	if in.Password != "" {
		if err := RefuseToken(actor, giveSignIns); err != nil {
			return User{}, "", err
		}
		if len(broken) == 0 {
			if hash, err = password.Hash(ctx, in.Password); err != nil {
				return User{}, "", err
			}
		}
	}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		made := User{RoleID: in.RoleID, DefaultWorkflowProfileID: in.DefaultWorkflowProfileID}
		if err := checkReferences(ctx, q, actor, User{}, made, broken); err != nil {
			return err
		}
		id := uuid.Must(uuid.NewV7())
		n, err := q.InsertUser(ctx, store.InsertUserParams{ID: id, AccountID: actor.AccountID, RoleID: in.RoleID,
			Email: in.Email, Name: in.Name, Kind: in.Kind, PasswordHash: hash, Active: *in.Active,
			DefaultWorkflowProfileID: in.DefaultWorkflowProfileID})
		if err != nil {
			return fmt.Errorf("insert user: %w", err)
		}
		if n == 0 {
			return errEmailTaken
		}
		if user, err = readUser(ctx, q, actor, id); err != nil {
			return err
		}
		detail := map[string]any{"email": user.Email, "kind": user.Kind, "role": user.Role, "active": user.Active}
		if user.DefaultWorkflowProfileID != nil {
			detail[defaultProfileField] = user.DefaultWorkflowProfileID
		}
		return Audit(ctx, tx, userCreated, userPath(id), detail)
	})
	return user, generated, err
}

// checkReferences checks the role and the default profile that a user gets. The present ones are not checked again.
// Errors: RULE_VIOLATED with every fault, those that are known to be broken included; FORBIDDEN when the actor lacks a
// permission of the new role.
func checkReferences(ctx context.Context, q *store.Queries, actor Actor, before, after User,
	broken problem.Faults) error {
	known := true
	if isNew := before.ID == uuid.Nil; isNew || after.RoleID != before.RoleID {
		row, err := q.GetRole(ctx, store.GetRoleParams{AccountID: actor.AccountID, ID: after.RoleID})
		known = !errors.Is(err, pgx.ErrNoRows)
		switch {
		case !known:
			broken.At("#/role_id", "is no role of this account")
		case err != nil:
			return fmt.Errorf("read role: %w", err)
		}
		if err := actor.RequireAll(row.Permissions); err != nil {
			return err
		}
	}
	if !optional.Equal(after.DefaultWorkflowProfileID, before.DefaultWorkflowProfileID) {
		role := &after.RoleID
		if !known {
			role = nil
		}
		fault, err := defaultProfileFault(ctx, q, actor, after.DefaultWorkflowProfileID, role)
		if err != nil {
			return err
		}
		broken.At("#/"+defaultProfileField, fault)
	}
	return broken.Err(problem.RuleViolated)
}

// PatchUser changes a user. A new password, a new address, and active false end the user's sessions. Needs
// users.manage, and every permission of the user's old and new roles; an access token can set neither a password nor an
// address. Errors: NOT_FOUND; REVISION_MISMATCH; INVALID_INPUT; RULE_VIOLATED; FORBIDDEN; CONFLICT when the address is
// taken or no administrator would remain.
func (s *Service) PatchUser(ctx context.Context, id uuid.UUID, patch UserPatch,
	condition revision.Condition) (user User, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return User{}, err
	}
	if patch.Password != nil || patch.Email != nil {
		if err := RefuseToken(actor, giveSignIns); err != nil {
			return User{}, err
		}
	}
	var hash *string
	if patch.Password != nil && len(*patch.Password) <= password.MaxBytes {
		made, err := password.Hash(ctx, *patch.Password) // before the lock, so that others do not wait for the hash
		if err != nil {
			return User{}, err
		}
		hash = &made
	}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		before, err := readForChange(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		if user, err = applyPatch(ctx, q, actor, before, patch); err != nil {
			return err
		}
		changed := userChanges(before, user, hash)
		if len(changed) == 0 {
			return nil
		}
		err = q.UpdateUser(ctx, store.UpdateUserParams{AccountID: actor.AccountID, ID: id, Email: user.Email, Name: user.Name,
			RoleID: user.RoleID, Active: user.Active, PasswordHash: hash,
			DefaultWorkflowProfileID: user.DefaultWorkflowProfileID})
		if err != nil {
			return fmt.Errorf("update user: %w", err)
		}
		if err := requireEqualAdministrator(ctx, q, actor, before); err != nil {
			return err
		}
		if hash != nil || !user.Active || user.Email != before.Email {
			if err := q.EndSignIns(ctx, store.EndSignInsParams{AccountID: actor.AccountID, UserID: id}); err != nil {
				return fmt.Errorf("end sign-ins: %w", err)
			}
		}
		if user, err = readUser(ctx, q, actor, id); err != nil {
			return err
		}
		db.AfterCommit(ctx, func() { s.forget(id) })
		return Audit(ctx, tx, userUpdated, userPath(id), changed)
	})
	return user, err
}

// readForChange reads a user, and returns FORBIDDEN if the actor may not change it.
func readForChange(ctx context.Context, q *store.Queries, actor Actor, id uuid.UUID,
	condition revision.Condition) (User, error) {
	user, err := readUser(ctx, q, actor, id)
	if err != nil {
		return User{}, err
	}
	if err := condition.Check(user.Revision); err != nil {
		return User{}, err
	}
	return user, actor.RequireAll(user.Permissions)
}

// applyPatch returns the user with a patch applied, after every check.
func applyPatch(ctx context.Context, q *store.Queries, actor Actor, user User, patch UserPatch) (User, error) {
	before := user
	broken, err := patch.apply(&user)
	if err != nil {
		return user, err
	}
	if err := checkReferences(ctx, q, actor, before, user, broken); err != nil {
		return user, err
	}
	if patch.Email == nil {
		return user, nil
	}
	taken, err := q.EmailTaken(ctx, store.EmailTakenParams{Email: user.Email, ID: user.ID})
	if err != nil {
		return user, fmt.Errorf("look up the address: %w", err)
	}
	if taken {
		return user, errEmailTaken
	}
	return user, nil
}

// userChanges returns the changes for the audit log, which must not contain a password.
func userChanges(before, after User, newHash *string) changes {
	changed := changes{}
	changed.add("email", before.Email, after.Email)
	changed.add("name", before.Name, after.Name)
	changed.add("active", before.Active, after.Active)
	changed.add("role_id", before.RoleID, after.RoleID)
	changed.addID(defaultProfileField, before.DefaultWorkflowProfileID, after.DefaultWorkflowProfileID)
	if newHash != nil {
		changed["password"] = [2]any{"…", "…"}
	}
	return changed
}

// DeleteUser deletes a user. Items and log entries retain the user's id. Needs users.manage, and every permission of
// the user. Errors: NOT_FOUND; REVISION_MISMATCH; FORBIDDEN; CONFLICT when no administrator would remain.
func (s *Service) DeleteUser(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return err
	}
	return s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		user, err := readForChange(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		if err := q.DeleteUser(ctx, store.DeleteUserParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("delete user: %w", err)
		}
		if err := requireEqualAdministrator(ctx, q, actor, user); err != nil {
			return err
		}
		return Audit(ctx, tx, userDeleted, userPath(id), map[string]any{"email": user.Email, "role": user.Role})
	})
}
