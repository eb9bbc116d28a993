package signin

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/password"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

var errResetLink = problem.New(problem.NotFound, "This link is no longer valid: it has been used or replaced, is "+
	"older than a day, or its creator has lost the permission. Ask for a new one.")

// ResetUser returns the e-mail address of the user whose password a reset link sets. Error: NOT_FOUND.
func (s *Service) ResetUser(ctx context.Context, token string) (email string, err error) {
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
		return user, fmt.Errorf("find the reset link: %w", err)
	}
	return user, nil
}

// Reset sets the password of a reset link's user, uses the link up, and ends the user's sessions. Errors: NOT_FOUND;
// RULE_VIOLATED for an unsuitable password, which does not use the link up.
func (s *Service) Reset(ctx context.Context, token, chosen string) error {
	email, err := s.ResetUser(ctx, token) // before the hash, which is too expensive for a client without a link
	if err != nil {
		return err
	}
	if fault := password.Fault(chosen, email); fault != "" {
		return problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/password", Detail: fault})
	}
	hash, err := password.Hash(ctx, chosen)
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
			return fmt.Errorf("use the reset link: %w", err)
		}
		if n == 0 {
			return errResetLink
		}
		err = q.SetPassword(ctx, store.SetPasswordParams{AccountID: user.AccountID, ID: user.UserID, PasswordHash: hash})
		if err != nil {
			return fmt.Errorf("set the password: %w", err)
		}
		err = q.EndSignIns(ctx, store.EndSignInsParams{AccountID: user.AccountID, UserID: user.UserID})
		if err != nil {
			return fmt.Errorf("end sign-ins: %w", err)
		}
		db.AfterCommit(ctx, func() { s.forgetUser(user.UserID) }) // on this node at once; the others are notified
		actor := account.Actor{AccountID: user.AccountID, UserID: user.UserID, Email: user.Email, Name: user.Name}
		return account.Audit(account.WithActor(ctx, actor), tx, passwordReset, userPath(user.UserID),
			map[string]string{"by": "link"})
	})
}
