package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/password"
	"itemcast/internal/problem"
)

// FirstStart holds the credentials of the administrator that Ensure created.
type FirstStart struct {
	Email    string
	Password string // generated; "" when the caller gave one
}

// ErrNoAccount means that no server has been started on the database yet.
var ErrNoAccount = errors.New("the database has no account yet: start the server once, which creates it")

// CheckFirst checks the e-mail address and the password that Ensure would give the first administrator. The rules are
// those for all users. An empty password is in order: Ensure generates one. Errors: INVALID_INPUT and RULE_VIOLATED
// with every fault.
func CheckFirst(email, adminPassword string) error {
	_, broken, err := (&UserInput{Email: email, Password: adminPassword}).normalize()
	if err != nil {
		return err
	}
	return broken.Err(problem.RuleViolated)
}

// Ensure creates the account, its roles and its administrator in a database without an account, and otherwise returns
// nil. Several nodes may call it at once; one of them creates the account. An empty adminPassword is replaced by a
// random one. Errors: as those of CheckFirst; then nothing is created.
func Ensure(ctx context.Context, pool *pgxpool.Pool, email, adminPassword string) (*FirstStart, error) {
	var first *FirstStart
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		q := store.New(tx)
		if err := q.LockFirstStart(ctx); err != nil {
			return err
		}
		if _, err := q.AnyAccount(ctx); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err := CheckFirst(email, adminPassword); err != nil {
			return err
		}
		first = &FirstStart{Email: email}
		if adminPassword == "" {
			adminPassword = rand.Text()
			first.Password = adminPassword
		}
		hash, err := password.Hash(ctx, adminPassword)
		if err != nil {
			return err
		}
		return insertFirst(ctx, q, email, hash)
	})
	if err != nil {
		return nil, fmt.Errorf("create the first account: %w", err)
	}
	return first, nil
}

func insertFirst(ctx context.Context, q *store.Queries, email, passwordHash string) error {
	account := uuid.Must(uuid.NewV7())
	if err := q.InsertAccount(ctx, store.InsertAccountParams{ID: account, Name: "Itemcast"}); err != nil {
		return err
	}
	var administrator uuid.UUID
	for _, role := range firstRoles {
		id := uuid.Must(uuid.NewV7())
		if role.name == "Administrator" {
			administrator = id
		}
		err := q.InsertRole(ctx, store.InsertRoleParams{ID: id, AccountID: account, Name: role.name,
			Permissions: role.permissions.Strings()})
		if err != nil {
			return err
		}
	}
	return q.InsertFirstUser(ctx, store.InsertFirstUserParams{ID: uuid.Must(uuid.NewV7()), AccountID: account,
		RoleID: administrator, Email: email, Name: "Administrator", PasswordHash: passwordHash})
}

var firstRoles = []struct {
	name        string
	permissions Permissions
}{
	{"Administrator", All()},
	{"Editor", Permissions{APIAccess, ItemsView, ItemsCreate, ItemsEdit, ItemsDelete, ItemsPublish, WorkflowsAct}},
	{"Viewer", Permissions{APIAccess, ItemsView}},
}

// Operator returns a context for commands that work on the database itself: its actor has every permission in the first
// account. Error: ErrNoAccount.
func Operator(ctx context.Context, pool *pgxpool.Pool) (context.Context, error) {
	account, err := store.New(pool).AnyAccount(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNoAccount
	}
	if err != nil {
		return nil, fmt.Errorf("find the account: %w", err)
	}
	return WithActor(ctx, Actor{AccountID: account.ID, Name: "operator", Permissions: All(),
		AccountProfile: account.DefaultWorkflowProfileID}), nil
}
