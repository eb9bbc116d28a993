package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

// The kinds of users.
const (
	KindPerson = "person"
	KindAPI    = "api" // a program, which has a generated password for HTTP Basic, or only access tokens
)

// ErrNoUser is the error for a user that does not exist.
var ErrNoUser = problem.New(problem.NotFound, "There is no such user.")

// User is a person or a program that signs in.
type User struct {
	ID          uuid.UUID
	Email       string
	Name        string
	Kind        string // KindPerson or KindAPI
	RoleID      uuid.UUID
	Role        string
	Permissions []string
	Active      bool // an inactive user cannot sign in
	HasPassword bool // a person without one sets it by a reset link; an API user has only access tokens

	DefaultWorkflowProfileID *uuid.UUID // see Actor.DefaultProfiles

	CreatedAt time.Time
	UpdatedAt time.Time
	Revision  int64
}

// UserFilter selects users that meet all its criteria. A nil or empty criterion is met by every user.
type UserFilter struct {
	Search string // a part of the address or the name, ignoring case
	RoleID *uuid.UUID
	Kind   *string
	Active *bool
}

// PageToken returns the token of the user's place in the list of users.
func (u User) PageToken() string { return page.Token("users", u.ID) }

// Users returns up to limit users, newest first, that follow a page token; "" stands for the start of the list. Next
// is the token of the following page, or "". Needs users.manage. Errors: INVALID_INPUT, INVALID_PAGE_TOKEN.
func (s *Service) Users(ctx context.Context, filter UserFilter, limit int, after string) (users []User,
	next string, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, "users")
	if err != nil {
		return nil, "", err
	}
	filter.Search = plaintext.Composed(filter.Search)
	var invalid problem.Faults
	invalid.Of("search", validate.Storable(filter.Search))
	if err := invalid.Err(problem.InvalidInput); err != nil {
		return nil, "", err
	}
	params := store.ListUsersParams{AccountID: actor.AccountID, BeforeID: before, RoleID: filter.RoleID, Kind: filter.Kind,
		Active: filter.Active, MaxRows: int32(limit + 1)}
	if filter.Search != "" {
		params.Search = &filter.Search
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListUsers(ctx, params)
	if err != nil {
		return nil, "", fmt.Errorf("list users: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListUsersRow) string { return User{ID: row.ID}.PageToken() })
	users = make([]User, len(rows))
	for i, row := range rows {
		users[i] = toUser(store.GetUserRow(row))
	}
	return users, next, nil
}

// User returns a user. Needs users.manage. Error: NOT_FOUND.
func (s *Service) User(ctx context.Context, id uuid.UUID) (User, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return User{}, err
	}
	return readUser(ctx, store.New(db.Read(ctx, s.pool)), actor, id)
}

// UserByEmail returns the user with an address, ignoring case. Needs users.manage. Error: NOT_FOUND.
func (s *Service) UserByEmail(ctx context.Context, email string) (User, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return User{}, err
	}
	q := store.New(db.Read(ctx, s.pool))
	id, err := q.UserIDByEmail(ctx, store.UserIDByEmailParams{AccountID: actor.AccountID, Email: email})
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, problem.New(problem.NotFound, "There is no user with the address %s. "+
			"itemcast user list shows all users.", email)
	}
	if err != nil {
		return User{}, fmt.Errorf("find the user: %w", err)
	}
	return readUser(ctx, q, actor, id)
}

func readUser(ctx context.Context, q *store.Queries, actor Actor, id uuid.UUID) (User, error) {
	row, err := q.GetUser(ctx, store.GetUserParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, ErrNoUser
	}
	if err != nil {
		return User{}, fmt.Errorf("read user: %w", err)
	}
	return toUser(row), nil
}

func toUser(row store.GetUserRow) User {
	user := User(row)
	user.CreatedAt, user.UpdatedAt = row.CreatedAt.UTC(), row.UpdatedAt.UTC()
	return user
}
