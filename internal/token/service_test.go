package token_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/token"
)

// as returns the context of an actor who came with a token that has the permissions.
func as(t *testing.T, permissions account.Permissions) context.Context {
	t.Helper()
	return account.WithActor(t.Context(), account.Actor{AccountID: uuid.New(), UserID: uuid.New(),
		Permissions: permissions, Token: &account.Token{Name: "Public page"}})
}

// What a token made would outlive it, whatever its permissions. These calls are refused before they reach a database.
func TestService_ATokenCannotMakeChangeOrRotateTokens(t *testing.T) {
	t.Parallel()
	ctx, s := as(t, account.All()), token.NewService(nil)
	_, _, created := s.Create(ctx, []byte(`{"name":"a","permissions":["items.view"]}`))
	_, patched := s.Patch(ctx, uuid.New(), []byte(`{}`), nil)
	_, _, rotated := s.Rotate(ctx, uuid.New(), true)
	for name, err := range map[string]error{"Create": created, "Patch": patched, "Rotate": rotated} {
		if !problem.Is(err, problem.Forbidden) || !strings.Contains(err.Error(), "Sign in with a password") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The token of a public page must not show where its user's other tokens are used from, nor revoke them.
func TestService_ATokenWithoutUsersManageSeesAndRevokesNoTokens(t *testing.T) {
	t.Parallel()
	rest := slices.DeleteFunc(account.All(), func(p account.Permission) bool { return p == account.UsersManage })
	ctx, s := as(t, rest), token.NewService(nil)
	_, _, listed := s.List(ctx, nil, 50, "")
	_, read := s.Get(ctx, uuid.New())
	revoked := s.Revoke(ctx, uuid.New(), nil)
	for name, err := range map[string]error{"List": listed, "Get": read, "Revoke": revoked} {
		if !problem.Is(err, problem.Forbidden) || !strings.Contains(err.Error(), string(account.UsersManage)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
