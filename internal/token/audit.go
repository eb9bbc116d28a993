package token

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

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

// changes returns the settings that differ, each with its old and new value.
func changes(before, after Settings) (map[string][2]json.RawMessage, error) {
	old, err := members(before)
	if err != nil {
		return nil, err
	}
	changed, err := members(after)
	if err != nil {
		return nil, err
	}
	found := map[string][2]json.RawMessage{}
	for name, value := range changed {
		if !bytes.Equal(value, old[name]) {
			found[name] = [2]json.RawMessage{old[name], value}
		}
	}
	return found, nil
}

func members(s Settings) (m map[string]json.RawMessage, err error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode settings: %w", err)
	}
	err = json.Unmarshal(raw, &m)
	return m, err
}
