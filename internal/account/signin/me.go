package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/password"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

var errGeneratedPassword = problem.New(problem.Conflict,
	"An API user's password is generated. Ask an administrator for a new one (rotate-password).")

// authorizeSelf returns an actor who did not come with an access token. Errors: UNAUTHENTICATED, FORBIDDEN.
func authorizeSelf(ctx context.Context, act string) (account.Actor, error) {
	actor, err := account.Authorize(ctx)
	if err != nil {
		return account.Actor{}, err
	}
	return actor, account.RefuseToken(actor, act)
}

// ChangePassword sets the actor's own password, and ends all of the actor's sessions, the current one included.
// Errors: RULE_VIOLATED with every fault; TOO_MANY_REQUESTS after too many attempts or wrong current passwords;
// CONFLICT for an API user.
func (s *Service) ChangePassword(ctx context.Context, current, chosen string) error {
	actor, err := authorizeSelf(ctx, "change a password")
	if err != nil {
		return err
	}
	q := store.New(db.Read(ctx, s.pool))
	row, err := q.PasswordHash(ctx, store.PasswordHashParams{AccountID: actor.AccountID, ID: actor.UserID})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return account.ErrNoUser
	case err != nil:
		return fmt.Errorf("read the password: %w", err)
	case row.Kind == account.KindAPI:
		return errGeneratedPassword
	}
	if err := s.checkNewPassword(ctx, actor, row.Email, current, chosen); err != nil {
		return err
	}
	hash, err := password.Hash(ctx, chosen)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		n, err := q.ChangePassword(ctx, store.ChangePasswordParams{AccountID: actor.AccountID, ID: actor.UserID,
			PasswordHash: hash, VerifiedHash: row.PasswordHash})
		if err != nil {
			return fmt.Errorf("change password: %w", err)
		}
		if n == 0 { // the password has changed since it was verified
			return problem.Invalid(problem.RuleViolated, wrongPassword)
		}
		err = q.EndSignIns(ctx, store.EndSignInsParams{AccountID: actor.AccountID, UserID: actor.UserID})
		if err != nil {
			return fmt.Errorf("end sign-ins: %w", err)
		}
		db.AfterCommit(ctx, func() { s.forgetUser(actor.UserID) }) // on this node at once; the others are notified
		return account.Audit(ctx, tx, passwordChanged, userPath(actor.UserID), nil)
	})
}

var wrongPassword = problem.Fault{Pointer: "#/current_password", Detail: "is wrong"}

// checkNewPassword checks the current password as a sign-in does, throttled and audited, so that a stranger cannot
// guess it in a browser that was left open.
func (s *Service) checkNewPassword(ctx context.Context, actor account.Actor, email, current, chosen string) error {
	if err := s.throttle.beginChange(actor.UserID); err != nil {
		return err
	}
	var faults problem.Faults
	_, err := s.check(ctx, s.credentials(email, current, byChange), 0)
	switch {
	case problem.Is(err, problem.Unauthenticated):
		faults.Add(wrongPassword)
	case err != nil:
		return err
	}
	faults.At("#/new_password", password.Fault(chosen, email))
	return faults.Err(problem.RuleViolated)
}

// Session is a browser in which a user is signed in.
type Session struct {
	ID        uuid.UUID
	Address   string // of the client, at the sign-in
	UserAgent string
	CreatedAt time.Time
	UsedAt    time.Time // accurate to a minute
	ExpiresAt time.Time // the session may end earlier, by disuse
	Current   bool      // the session of this request
}

// Sessions returns the actor's own sessions, most recently used first, at most 1,000.
func (s *Service) Sessions(ctx context.Context) ([]Session, error) {
	actor, err := authorizeSelf(ctx, "see the sessions of its user")
	if err != nil {
		return nil, err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListSessions(ctx, store.ListSessionsParams{AccountID: actor.AccountID,
		UserID: actor.UserID, IdleSince: time.Now().Add(-s.idleTimeout)})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	sessions := make([]Session, len(rows))
	for i, row := range rows {
		sessions[i] = Session{ID: row.ID, Address: row.Address, UserAgent: row.UserAgent, CreatedAt: row.CreatedAt.UTC(),
			UsedAt: row.UsedAt.UTC(), ExpiresAt: row.ExpiresAt.UTC(), Current: row.ID == actor.SessionID}
	}
	return sessions, nil
}

// EndSession signs the actor out in one browser. Error: NOT_FOUND.
func (s *Service) EndSession(ctx context.Context, id uuid.UUID) error {
	actor, err := authorizeSelf(ctx, "end sessions")
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		n, err := store.New(tx).EndSession(ctx, store.EndSessionParams{AccountID: actor.AccountID,
			UserID: actor.UserID, ID: id})
		if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		if n == 0 {
			return problem.New(problem.NotFound, "There is no such session.")
		}
		db.AfterCommit(ctx, func() { s.forgetSessions(actor.UserID) }) // on this node at once; the others are notified
		return account.Audit(ctx, tx, signedOut, userPath(actor.UserID), map[string]any{"session": id})
	})
}

// EndSessions signs the actor out in every browser.
func (s *Service) EndSessions(ctx context.Context) error {
	actor, err := authorizeSelf(ctx, "end sessions")
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		n, err := store.New(tx).EndSessions(ctx, store.EndSessionsParams{AccountID: actor.AccountID, UserID: actor.UserID})
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		if n == 0 {
			return nil
		}
		db.AfterCommit(ctx, func() { s.forgetSessions(actor.UserID) })
		return account.Audit(ctx, tx, signedOut, userPath(actor.UserID), map[string]any{"sessions": n})
	})
}
