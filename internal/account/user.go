package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/password"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/validate"
)

// The kinds of users.
const (
	KindPerson = "person"
	KindAPI    = "api" // a program: its password is made by Itemcast, and it cannot sign in on pages
)

// ErrNoUser is the error for a user that does not exist, or not any more.
var ErrNoUser = problem.New(problem.NotFound, "There is no such user.")

// User is somebody, or a program, that can sign in. HasPassword is false for a person who has to set one by a link first.
type User struct {
	ID          uuid.UUID
	Email       string
	Name        string
	Kind        string
	RoleID      uuid.UUID
	Role        string
	Permissions []string
	Active      bool
	HasPassword bool
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Revision    int64
}

// UserInput is what a user is made of. A person without a password sets one by a reset link; an API user gets one that is made up.
type UserInput struct {
	Email    string
	Name     string
	Kind     string // "" is person
	RoleID   uuid.UUID
	Password string
	Active   *bool // nil: it is
}

// UserPatch is a merge patch that mergepatch.Read has decoded: nil leaves a field as it is.
type UserPatch struct {
	Email    *string    `json:"email"`
	Name     *string    `json:"name"`
	RoleID   *uuid.UUID `json:"role_id"`
	Password *string    `json:"password"`
	Active   *bool      `json:"active"`
}

// UserFilter says which users are meant; what is nil or empty lets all pass.
type UserFilter struct {
	Search string // in the address or the name, whatever the case
	RoleID *uuid.UUID
	Kind   *string
	Active *bool
}

// Users returns up to limit users, newest first, from after on, which is empty or what an earlier call gave as next; next is empty at the
// end. Needs users.manage. Errors: INVALID_INPUT, INVALID_CURSOR.
func (s *Service) Users(ctx context.Context, filter UserFilter, limit int, after string) (users []User, next string, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, "users")
	if err != nil {
		return nil, "", err
	}
	var invalid problem.Faults
	invalid.Of("search", validate.Storable(filter.Search))
	if err := invalid.Err(problem.InvalidInput); err != nil {
		return nil, "", err
	}
	params := store.ListUsersParams{AccountID: actor.AccountID, BeforeID: before, RoleID: filter.RoleID, Kind: filter.Kind, Active: filter.Active,
		MaxRows: int32(limit + 1)}
	if filter.Search != "" {
		params.Search = &filter.Search
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListUsers(ctx, params)
	if err != nil {
		return nil, "", fmt.Errorf("list users: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListUsersRow) string { return page.Token("users", row.ID) })
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
	return getUser(ctx, store.New(db.Read(ctx, s.pool)), actor, id)
}

// UserByEmail returns the user of an address. Needs users.manage. Error: NOT_FOUND.
func (s *Service) UserByEmail(ctx context.Context, email string) (User, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return User{}, err
	}
	q := store.New(db.Read(ctx, s.pool))
	id, err := q.UserIDByEmail(ctx, store.UserIDByEmailParams{AccountID: actor.AccountID, Email: email})
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, problem.New(problem.NotFound, "There is no user with the address %s.", email)
	}
	if err != nil {
		return User{}, fmt.Errorf("find user: %w", err)
	}
	return getUser(ctx, q, actor, id)
}

func getUser(ctx context.Context, q *store.Queries, actor Actor, id uuid.UUID) (User, error) {
	row, err := q.GetUser(ctx, store.GetUserParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, ErrNoUser
	}
	if err != nil {
		return User{}, fmt.Errorf("read user: %w", err)
	}
	return toUser(row), nil
}

// CreateUser makes a user, and returns the password that it made up for an API user, "" for a person. Needs users.manage, and every
// permission of the role. Errors: INVALID_INPUT and RULE_VIOLATED with every fault, FORBIDDEN, CONFLICT when the address is taken.
func (s *Service) CreateUser(ctx context.Context, in UserInput) (User, string, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return User{}, "", err
	}
	made, err := in.checked()
	if err != nil {
		return User{}, "", err
	}
	hash := ""
	if in.Password != "" {
		if hash, err = password.Hash(ctx, in.Password); err != nil {
			return User{}, "", err
		}
	}
	var user User
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		if err := s.mayGive(ctx, q, actor, in.RoleID); err != nil {
			return err
		}
		id := uuid.Must(uuid.NewV7())
		n, err := q.MakeUser(ctx, store.MakeUserParams{ID: id, AccountID: actor.AccountID, RoleID: in.RoleID, Email: in.Email, Name: in.Name,
			Kind: in.Kind, PasswordHash: hash, Active: *in.Active})
		if err != nil {
			return fmt.Errorf("insert user: %w", err)
		}
		if n == 0 {
			return errEmailTaken
		}
		if user, err = getUser(ctx, q, actor, id); err != nil {
			return err
		}
		return Audit(ctx, tx, userCreated, userPath(id), map[string]any{"email": user.Email, "kind": user.Kind, "role": user.Role, "active": user.Active})
	})
	return user, made, err
}

var errEmailTaken = problem.New(problem.Conflict, "There is a user with this e-mail address already.")

// checked fills in what was left out. Made is the password of an API user.
func (in *UserInput) checked() (made string, err error) {
	if in.Kind == "" {
		in.Kind = KindPerson
	}
	if in.Active == nil {
		in.Active = new(true)
	}
	in.Name = strings.TrimSpace(in.Name)
	var invalid, broken problem.Faults
	invalid.At("#/email", emailFault(in.Email))
	invalid.At("#/name", validate.Name(in.Name, 0, 200))
	if in.Kind != KindPerson && in.Kind != KindAPI {
		invalid.At("#/kind", "must be person or api")
	}
	switch {
	case in.Kind == KindAPI && in.Password != "":
		broken.At("#/password", "is made up for an API user, and shown once; leave it out")
	case in.Kind == KindAPI:
		made = rand.Text()
		in.Password = made
	case in.Password != "":
		broken.At("#/password", password.Fault(in.Password, in.Email))
	}
	if err := invalid.Err(problem.InvalidInput); err != nil {
		return "", err
	}
	return made, broken.Err(problem.RuleViolated)
}

// mayGive refuses a role that is none, and one that has more than the actor.
func (s *Service) mayGive(ctx context.Context, q *store.Queries, actor Actor, role uuid.UUID) error {
	row, err := q.GetRole(ctx, store.GetRoleParams{AccountID: actor.AccountID, ID: role})
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/role_id", Detail: "is no role of this account"})
	}
	if err != nil {
		return fmt.Errorf("read role: %w", err)
	}
	return actor.covers(row.Permissions)
}

// PatchUser changes a user. A new password, another address, and being switched off end the user's sessions. Needs users.manage, and every permission that
// the user has and gets. Errors: NOT_FOUND, REVISION_MISMATCH, INVALID_INPUT, RULE_VIOLATED, FORBIDDEN, CONFLICT when the address is taken or
// nobody would be left who manages users.
func (s *Service) PatchUser(ctx context.Context, id uuid.UUID, patch UserPatch, condition revision.Condition) (User, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return User{}, err
	}
	var hash *string
	if patch.Password != nil && len(*patch.Password) <= password.MaxBytes {
		made, err := password.Hash(ctx, *patch.Password) // before others have to wait for it
		if err != nil {
			return User{}, err
		}
		hash = &made
	}
	var user User
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		before, err := s.touch(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		if user, err = s.patched(ctx, q, actor, before, patch); err != nil {
			return err
		}
		noted := changes{}
		noted.note("email", before.Email, user.Email)
		noted.note("name", before.Name, user.Name)
		noted.note("active", before.Active, user.Active)
		noted.note("role_id", before.RoleID, user.RoleID)
		if hash != nil {
			noted["password"] = [2]any{"…", "…"}
		}
		if len(noted) == 0 {
			return nil
		}
		err = q.UpdateUser(ctx, store.UpdateUserParams{AccountID: actor.AccountID, ID: id, Email: user.Email, Name: user.Name, RoleID: user.RoleID,
			Active: user.Active, PasswordHash: hash})
		if err != nil {
			return fmt.Errorf("update user: %w", err)
		}
		if err := replaceable(ctx, q, actor, before); err != nil {
			return err
		}
		if hash != nil || !user.Active || user.Email != before.Email {
			if err := q.EndSignIns(ctx, store.EndSignInsParams{AccountID: actor.AccountID, UserID: id}); err != nil {
				return fmt.Errorf("end sign-ins: %w", err)
			}
		}
		if user, err = getUser(ctx, q, actor, id); err != nil {
			return err
		}
		return Audit(ctx, tx, userUpdated, userPath(id), noted)
	})
	return user, err
}

// touch reads a user whom the actor may change.
func (s *Service) touch(ctx context.Context, q *store.Queries, actor Actor, id uuid.UUID, condition revision.Condition) (User, error) {
	user, err := getUser(ctx, q, actor, id)
	if err != nil {
		return User{}, err
	}
	if err := condition.Check(user.Revision); err != nil {
		return User{}, err
	}
	return user, actor.covers(user.Permissions)
}

// patched is the user as a patch would have it.
func (s *Service) patched(ctx context.Context, q *store.Queries, actor Actor, user User, patch UserPatch) (User, error) {
	set(&user.Email, patch.Email)
	set(&user.Active, patch.Active)
	var invalid, broken problem.Faults
	if patch.Email != nil {
		invalid.At("#/email", emailFault(user.Email))
	}
	if patch.Name != nil {
		user.Name = strings.TrimSpace(*patch.Name)
		invalid.At("#/name", validate.Name(user.Name, 0, 200))
	}
	switch {
	case patch.Password == nil:
	case user.Kind == KindAPI:
		broken.At("#/password", "of an API user is made up; ask for another one by rotate-password")
	default:
		broken.At("#/password", password.Fault(*patch.Password, user.Email))
	}
	if err := errors.Join(invalid.Err(problem.InvalidInput), broken.Err(problem.RuleViolated)); err != nil {
		return user, err
	}
	if patch.RoleID != nil && *patch.RoleID != user.RoleID {
		if err := s.mayGive(ctx, q, actor, *patch.RoleID); err != nil {
			return user, err
		}
		user.RoleID = *patch.RoleID
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

// DeleteUser deletes a user; what the user did keeps the id. Needs users.manage, and every permission that the user has. Errors: NOT_FOUND,
// REVISION_MISMATCH, FORBIDDEN, CONFLICT when nobody would be left who manages users.
func (s *Service) DeleteUser(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return err
	}
	return s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		user, err := s.touch(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		if err := q.DeleteUser(ctx, store.DeleteUserParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("delete user: %w", err)
		}
		if err := replaceable(ctx, q, actor, user); err != nil {
			return err
		}
		return Audit(ctx, tx, userDeleted, userPath(id), map[string]any{"email": user.Email, "role": user.Role})
	})
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func toUser(row store.GetUserRow) User {
	user := User(row)
	user.CreatedAt, user.UpdatedAt = row.CreatedAt.UTC(), row.UpdatedAt.UTC()
	return user
}
