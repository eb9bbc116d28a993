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

const resetWithin = 24 * time.Hour

// ResetLink is a link by which a user sets a password. It works once.
type ResetLink struct {
	URL       string
	ExpiresAt time.Time
}

// ResetLink makes the link of a user, and takes back an earlier one. It works as long as the actor may make it. Needs users.manage, and every
// permission that the user has. Errors:
// NOT_FOUND, FORBIDDEN, CONFLICT for an API user and for one who is switched off.
func (s *Service) ResetLink(ctx context.Context, id uuid.UUID) (ResetLink, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return ResetLink{}, err
	}
	token := rand.Text()
	hash := sha256.Sum256([]byte(token))
	link := ResetLink{URL: s.publicURL + "/reset?" + url.Values{"token": {token}}.Encode(), ExpiresAt: time.Now().Add(resetWithin).UTC().Truncate(time.Second)}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		user, err := s.touch(ctx, q, actor, id, nil)
		switch {
		case err != nil:
			return err
		case user.Kind == KindAPI:
			return problem.New(problem.Conflict, "An API user's password is made up; ask for another one by rotate-password.")
		case !user.Active:
			return problem.New(problem.Conflict, "The user is switched off; make the user active before.")
		}
		err = q.ReplaceResetLink(ctx, store.ReplaceResetLinkParams{TokenHash: hash[:], AccountID: actor.AccountID, UserID: id, MadeBy: actor.User(),
			ExpiresAt: link.ExpiresAt})
		if err != nil {
			return fmt.Errorf("keep reset link: %w", err)
		}
		return Audit(ctx, tx, resetLinkCreated, userPath(id), nil)
	})
	if err != nil {
		return ResetLink{}, err
	}
	return link, nil
}

// RotatePassword gives an API user another password, and returns it; the old one works no more. Needs users.manage, and every permission
// that the user has. Errors: NOT_FOUND, FORBIDDEN, CONFLICT for a person.
func (s *Service) RotatePassword(ctx context.Context, id uuid.UUID) (string, error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return "", err
	}
	made := rand.Text()
	hash, err := password.Hash(ctx, made)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		user, err := s.touch(ctx, q, actor, id, nil)
		if err != nil {
			return err
		}
		if user.Kind != KindAPI {
			return problem.New(problem.Conflict, "A person chooses the password; make a reset link.")
		}
		if err := q.SetPassword(ctx, store.SetPasswordParams{AccountID: actor.AccountID, ID: id, PasswordHash: hash}); err != nil {
			return fmt.Errorf("set password: %w", err)
		}
		return Audit(ctx, tx, passwordReset, userPath(id), map[string]string{"by": "rotation"})
	})
	if err != nil {
		return "", err
	}
	return made, nil
}
