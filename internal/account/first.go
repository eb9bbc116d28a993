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
)

// FirstStart says how the administrator that was just made signs in. Password is empty when it was given and not made up.
type FirstStart struct {
	Email    string
	Password string
}

// Ensure makes the account, its roles and its administrator when the database has none, and else returns nil. Several nodes may start
// together; one of them does it. An empty password is replaced by a random one.
func Ensure(ctx context.Context, pool *pgxpool.Pool, email, password string) (*FirstStart, error) {
	var made *FirstStart
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		q := store.New(tx)
		if err := q.LockFirstStart(ctx); err != nil {
			return err
		}
		if _, err := q.AnyAccount(ctx); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		made = &FirstStart{Email: email}
		if password == "" {
			password = rand.Text()
			made.Password = password
		}
		return create(ctx, q, email, password)
	})
	if err != nil {
		return nil, fmt.Errorf("make the first account: %w", err)
	}
	return made, nil
}

func create(ctx context.Context, q *store.Queries, email, password string) error {
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return err
	}
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
		params := store.InsertRoleParams{ID: id, AccountID: account, Name: role.name, Permissions: role.permissions.Strings()}
		if err := q.InsertRole(ctx, params); err != nil {
			return err
		}
	}
	return q.InsertUser(ctx, store.InsertUserParams{
		ID: uuid.Must(uuid.NewV7()), AccountID: account, RoleID: administrator, Email: email, Name: "Administrator", PasswordHash: hash,
	})
}

var firstRoles = []struct {
	name        string
	permissions Permissions
}{
	{"Administrator", All()},
	{"Editor", Permissions{APIAccess, ItemsView, ItemsCreate, ItemsEdit, ItemsDelete, ItemsPublish, WorkflowsAct}},
	{"Viewer", Permissions{APIAccess, ItemsView}},
}

// Operator returns a context in which the person at the machine acts, with every permission, in the first account: for commands that
// work on the database itself.
func Operator(ctx context.Context, pool *pgxpool.Pool) (context.Context, error) {
	account, err := store.New(pool).AnyAccount(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the account: %w", err)
	}
	return WithActor(ctx, Actor{AccountID: account.ID, Name: "operator", Permissions: All()}), nil
}
