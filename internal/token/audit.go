package token

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
)

// The actions that the audit log records. An entry never holds a secret or its digest.
const (
	tokenCreated = "token.created"
	tokenUpdated = "token.updated"
	tokenRotated = "token.rotated"
	tokenRevoked = "token.revoked"
)

func audit(ctx context.Context, tx pgx.Tx, action string, token uuid.UUID, detail any) error {
	return account.Audit(ctx, tx, action, "tokens/"+token.String(), detail)
}

// created is what the audit log records of a new token.
func created(t Token) any {
	return struct {
		User string `json:"user"`
		Settings
	}{t.User, t.Settings}
}
