package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

const resetWithin = 24 * time.Hour

var errResetLink = problem.New(problem.NotFound, "This link works no more: it has been used, replaced by another, or is older than a day, or whoever made it may not any more. Ask for a new one.")

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
	link := ResetLink{URL: s.publicURL + "/reset?" + url.Values{"token": {token}}.Encode(), ExpiresAt: time.Now().Add(resetWithin).UTC().Truncate(time.Second)}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		user, err := s.touch(ctx, q, actor, id, nil)
		switch {
		case err != nil:
			return err
		case user.Kind == apiUser:
			return problem.New(problem.Conflict, "An API user's password is made up; ask for another one by rotate-password.")
		case !user.Active:
			return problem.New(problem.Conflict, "The user is switched off; make the user active before.")
		}
		err = q.ReplaceResetLink(ctx, store.ReplaceResetLinkParams{TokenHash: hashToken(token), AccountID: actor.AccountID, UserID: id, MadeBy: actor.User(),
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
	hash, err := HashPassword(ctx, made)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		user, err := s.touch(ctx, q, actor, id, nil)
		if err != nil {
			return err
		}
		if user.Kind != apiUser {
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

// ResetUser tells whose password the link of a token sets. Error: NOT_FOUND.
func (s *SignIn) ResetUser(ctx context.Context, token string) (email string, err error) {
	if token == "" || len(token) > maxToken {
		return "", errResetLink
	}
	user, err := resetLinkUser(ctx, store.New(s.pool), token)
	return user.Email, err
}

func resetLinkUser(ctx context.Context, q *store.Queries, token string) (store.ResetLinkUserRow, error) {
	user, err := q.ResetLinkUser(ctx, hashToken(token))
	if errors.Is(err, pgx.ErrNoRows) {
		return user, errResetLink
	}
	if err != nil {
		return user, fmt.Errorf("look up reset link: %w", err)
	}
	return user, nil
}

// Reset sets the password of a link's user, uses the link up, and ends the user's sessions. Errors: NOT_FOUND, RULE_VIOLATED when the
// password does not do; the link works on then.
func (s *SignIn) Reset(ctx context.Context, token, password string) error {
	email, err := s.ResetUser(ctx, token) // nobody without a link has a hash computed
	if err != nil {
		return err
	}
	if fault := passwordFault(password, email); fault != "" {
		return problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/password", Detail: fault})
	}
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		user, err := resetLinkUser(ctx, q, token)
		if err != nil {
			return err
		}
		n, err := q.UseResetLink(ctx, hashToken(token))
		if err != nil {
			return fmt.Errorf("use reset link: %w", err)
		}
		if n == 0 {
			return errResetLink
		}
		if err := q.SetPassword(ctx, store.SetPasswordParams{AccountID: user.AccountID, ID: user.UserID, PasswordHash: hash}); err != nil {
			return fmt.Errorf("set password: %w", err)
		}
		if err := endAll(ctx, q, user.AccountID, user.UserID); err != nil {
			return err
		}
		db.AfterCommit(ctx, func() { s.forgetUser(user.UserID) }) // this node at once, the others by notification
		actor := Actor{AccountID: user.AccountID, UserID: user.UserID, Email: user.Email, Name: user.Name}
		return audit(ctx, tx, actor, passwordReset, userPath(user.UserID), map[string]string{"by": "link"})
	})
}
