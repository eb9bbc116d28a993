package dbtest

import (
	"context"

	"github.com/google/uuid"

	"itemcast/internal/db"
)

// InsertAccount inserts an account without users.
func InsertAccount(ctx context.Context, conn db.Querier, id uuid.UUID, name string) error {
	_, err := conn.Exec(ctx, "INSERT INTO account (id, name) VALUES ($1, $2)", id, name)
	return err
}

// InsertRole inserts a role of an account.
func InsertRole(
	ctx context.Context, conn db.Querier, id, account uuid.UUID, name string, permissions ...string,
) error {
	if permissions == nil {
		permissions = []string{}
	}
	_, err := conn.Exec(ctx, "INSERT INTO role (id, account_id, name, permissions) VALUES ($1, $2, $3, $4)",
		id, account, name, permissions)
	return err
}

// User is a row of app_user. With an empty PasswordHash the user cannot sign in.
type User struct {
	ID, Account, Role         uuid.UUID
	Email, Name, PasswordHash string
}

// InsertUser inserts a user of an account.
func InsertUser(ctx context.Context, conn db.Querier, u User) error {
	_, err := conn.Exec(ctx, `INSERT INTO app_user (id, account_id, role_id, email, name, password_hash)
		VALUES ($1, $2, $3, $4, $5, $6)`, u.ID, u.Account, u.Role, u.Email, u.Name, u.PasswordHash)
	return err
}
