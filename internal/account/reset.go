package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/password"
	"itemcast/internal/problem"
)

const (
	resetLinkLifetime = 24 * time.Hour

	giveSignIns = "set or reset passwords and sign-in addresses" // what an access token cannot do
)

var (
	errAPIUserLink = problem.New(problem.Conflict,
		"An API user has a generated password and no reset link. Use rotate-password to generate a new password.")
	errInactiveLink   = problem.New(problem.Conflict, "The user is inactive. Set active to true first.")
	errPersonRotation = problem.New(problem.Conflict,
		"Only an API user has a generated password. Create a reset link for a person.")
)

// ResetLink is a link by which a user sets a password, once.
type ResetLink struct {
	URL       string
	ExpiresAt time.Time
}

// ResetLink creates a user's reset link, and revokes an earlier one. The link works once, within a day, and only while
// the actor may still create it. Needs users.manage, and every permission of the user; an access token cannot do it.
// Errors: NOT_FOUND, FORBIDDEN; CONFLICT for an API user and for an inactive one.
func (s *Service) ResetLink(ctx context.Context, id uuid.UUID) (ResetLink, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err == nil {
		err = RefuseToken(actor, giveSignIns)
	}
	if err != nil {
		return ResetLink{}, err
	}
	token := rand.Text()
	hash := sha256.Sum256([]byte(token))
	link := ResetLink{URL: s.publicURL + "/reset?" + url.Values{"token": {token}}.Encode(),
		ExpiresAt: time.Now().Add(resetLinkLifetime).UTC().Truncate(time.Second)}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		user, err := readForChange(ctx, q, actor, id, nil)
		switch {
		case err != nil:
			return err
		case user.Kind == KindAPI:
			return errAPIUserLink
		case !user.Active:
			return errInactiveLink
		}
		err = q.ReplaceResetLink(ctx, store.ReplaceResetLinkParams{TokenHash: hash[:], AccountID: actor.AccountID, UserID: id,
			MadeBy: actor.UserParam(), ExpiresAt: link.ExpiresAt})
		if err != nil {
			return fmt.Errorf("store the reset link: %w", err)
		}
		return Audit(ctx, tx, resetLinkCreated, userPath(id), nil)
	})
	if err != nil {
		return ResetLink{}, err
	}
	return link, nil
}

// RotatePassword generates a new password for an API user, and returns it; the old one stops working. Needs
// users.manage, and every permission of the user; an access token cannot do it. Errors: NOT_FOUND, FORBIDDEN; CONFLICT
// for a person.
func (s *Service) RotatePassword(ctx context.Context, id uuid.UUID) (string, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err == nil {
		err = RefuseToken(actor, giveSignIns)
	}
	if err != nil {
		return "", err
	}
	generated := rand.Text()
	hash, err := password.Hash(ctx, generated)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		user, err := readForChange(ctx, q, actor, id, nil)
		if err != nil {
			return err
		}
		if user.Kind != KindAPI {
			return errPersonRotation
		}
		err = q.SetPassword(ctx, store.SetPasswordParams{AccountID: actor.AccountID, ID: id, PasswordHash: hash})
		if err != nil {
			return fmt.Errorf("set the password: %w", err)
		}
		return Audit(ctx, tx, passwordReset, userPath(id), map[string]string{"by": "rotation"})
	})
	if err != nil {
		return "", err
	}
	return generated, nil
}
