package account

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/problem"
)

var errNoRole = problem.New(problem.NotFound, "There is no such role.")

// Role is a set of permissions for users.
type Role struct {
	ID          uuid.UUID
	Name        string
	Permissions []string // in the order of All
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Revision    int64
}

// PageToken returns the token of the role's place in the list of roles.
func (r Role) PageToken() string { return page.Token("roles", r.ID) }

// Roles returns up to limit roles, newest first, that follow a page token; "" stands for the start of the list. Next
// is the token of the following page, or "". Needs users.manage. Error: INVALID_PAGE_TOKEN.
func (s *Service) Roles(ctx context.Context, limit int, after string) (roles []Role, next string, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, "roles")
	if err != nil {
		return nil, "", err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListRoles(ctx, store.ListRolesParams{AccountID: actor.AccountID,
		BeforeID: before, MaxRows: int32(limit + 1)})
	if err != nil {
		return nil, "", fmt.Errorf("list roles: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListRolesRow) string { return Role{ID: row.ID}.PageToken() })
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
	return readRole(ctx, store.New(db.Read(ctx, s.pool)), actor, id)
}

// RoleByName returns the role with a name, ignoring case. Needs users.manage. Error: NOT_FOUND.
func (s *Service) RoleByName(ctx context.Context, name string) (Role, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return Role{}, err
	}
	q := store.New(db.Read(ctx, s.pool))
	id, err := q.RoleByName(ctx, store.RoleByNameParams{AccountID: actor.AccountID, Name: name})
	if errors.Is(err, pgx.ErrNoRows) {
		return Role{}, unknownRole(ctx, q, actor, name)
	}
	if err != nil {
		return Role{}, fmt.Errorf("find the role: %w", err)
	}
	return readRole(ctx, q, actor, id)
}

// maxRolesNamed is the number of roles that an error lists.
const maxRolesNamed = 20

// unknownRole returns NOT_FOUND with the names of the roles that there are.
func unknownRole(ctx context.Context, q *store.Queries, actor Actor, name string) error {
	rows, err := q.ListRoles(ctx, store.ListRolesParams{AccountID: actor.AccountID, MaxRows: maxRolesNamed + 1})
	if err != nil {
		return fmt.Errorf("list roles: %w", err)
	}
	var names []string
	for _, row := range rows[:min(len(rows), maxRolesNamed)] {
		names = append(names, strconv.Quote(row.Name))
	}
	if len(rows) > maxRolesNamed {
		names = append(names, "and more")
	}
	return problem.New(problem.NotFound, "There is no role %q. The roles are %s.", name, strings.Join(names, ", "))
}

func readRole(ctx context.Context, q *store.Queries, actor Actor, id uuid.UUID) (Role, error) {
	row, err := q.GetRole(ctx, store.GetRoleParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return Role{}, errNoRole
	}
	if err != nil {
		return Role{}, fmt.Errorf("read role: %w", err)
	}
	return toRole(row), nil
}

func toRole(row store.GetRoleRow) Role {
	role := Role(row)
	role.CreatedAt, role.UpdatedAt = row.CreatedAt.UTC(), row.UpdatedAt.UTC()
	return role
}

// UnknownRoles returns the ids that are not roles of the account. It locks the account's roles, so that the others
// cannot be deleted before the transaction ends.
func UnknownRoles(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, ids []uuid.UUID) ([]uuid.UUID, error) {
	if err := LockAccess(ctx, tx, accountID); err != nil {
		return nil, err
	}
	unknown, err := store.New(tx).UnknownRoles(ctx, store.UnknownRolesParams{AccountID: accountID, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("look up roles: %w", err)
	}
	return unknown, nil
}

// UsersOfRole is a role with the number of users who can sign in with it.
type UsersOfRole struct {
	ID          uuid.UUID
	Name        string
	Permissions []string
	ActiveUsers int64
}

// RoleUsers returns the account's roles by name, with their users. It does not authorize.
func RoleUsers(ctx context.Context, tx db.Querier, accountID uuid.UUID) ([]UsersOfRole, error) {
	rows, err := store.New(tx).RoleUsers(ctx, accountID)
	if err != nil {
		return nil, fmt.Errorf("read the roles and their users: %w", err)
	}
	roles := make([]UsersOfRole, len(rows))
	for i, row := range rows {
		roles[i] = UsersOfRole(row)
	}
	return roles, nil
}
