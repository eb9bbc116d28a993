package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

// ChangePassword sets the actor's own password, and ends all of the actor's sessions, this one too. Errors: RULE_VIOLATED with every fault,
// TOO_MANY_REQUESTS after too many wrong current passwords, and after too many attempts, CONFLICT for an API user.
func (s *Service) ChangePassword(ctx context.Context, current, password string) error {
	actor, err := Authorize(ctx)
	if err != nil {
		return err
	}
	q := store.New(db.Read(ctx, s.pool))
	row, err := q.PasswordHash(ctx, store.PasswordHashParams{AccountID: actor.AccountID, ID: actor.UserID})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errNoUser
	case err != nil:
		return fmt.Errorf("read password: %w", err)
	case row.Kind == apiUser:
		return problem.New(problem.Conflict, "An API user's password is made up; who manages users asks for another one by rotate-password.")
	}
	wrong, err := s.isWrong(ctx, actor, row.Email, current)
	if err != nil {
		return err
	}
	var broken faults
	if wrong {
		broken.add("#/current_password", "is wrong")
	}
	broken.add("#/new_password", passwordFault(password, row.Email))
	if err := broken.error(problem.RuleViolated); err != nil {
		return err
	}
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		n, err := q.ChangePassword(ctx, store.ChangePasswordParams{AccountID: actor.AccountID, ID: actor.UserID, PasswordHash: hash,
			VerifiedHash: row.PasswordHash})
		if err != nil {
			return fmt.Errorf("change password: %w", err)
		}
		if n == 0 { // somebody has set another one meanwhile
			return problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/current_password", Detail: "is wrong"})
		}
		if err := endAll(ctx, q, actor.AccountID, actor.UserID); err != nil {
			return err
		}
		return Audit(ctx, tx, passwordChanged, userPath(actor.UserID), nil)
	})
}

// isWrong verifies the actor's current password as a sign-in does, throttled and noted: who has found an open browser cannot guess it there.
func (s *Service) isWrong(ctx context.Context, actor Actor, email, current string) (bool, error) {
	if err := s.signIn.throttle.change(actor.UserID); err != nil {
		return false, err
	}
	_, err := s.signIn.verify(ctx, credentials{email, current, s.signIn.digest(email, current), byChange}, 0)
	if problem.Is(err, problem.Unauthenticated) {
		return true, nil
	}
	return false, err
}

// Session is a browser in which a user is signed in.
type Session struct {
	ID        uuid.UUID
	Address   string
	UserAgent string
	CreatedAt time.Time
	UsedAt    time.Time // to the minutes
	ExpiresAt time.Time // at the latest
	Current   bool      // it is the one that asks
}

// Sessions returns the actor's own, the one used last first.
func (s *Service) Sessions(ctx context.Context) ([]Session, error) {
	actor, err := Authorize(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListSessions(ctx, store.ListSessionsParams{AccountID: actor.AccountID, UserID: actor.UserID,
		IdleSince: time.Now().Add(-s.signIn.Idle)})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	sessions := make([]Session, len(rows))
	for i, row := range rows {
		sessions[i] = Session{ID: row.ID, Address: row.Address, UserAgent: row.UserAgent, CreatedAt: row.CreatedAt.UTC(), UsedAt: row.UsedAt.UTC(),
			ExpiresAt: row.ExpiresAt.UTC(), Current: row.ID == actor.SessionID}
	}
	return sessions, nil
}

// EndSession signs the actor out in one browser. Error: NOT_FOUND.
func (s *Service) EndSession(ctx context.Context, id uuid.UUID) error {
	actor, err := Authorize(ctx)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		n, err := store.New(tx).EndSession(ctx, store.EndSessionParams{AccountID: actor.AccountID, UserID: actor.UserID, ID: id})
		if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		if n == 0 {
			return problem.New(problem.NotFound, "There is no such session.")
		}
		db.AfterCommit(ctx, func() { s.signIn.forgetSessions(actor.UserID) }) // this node at once, the others by notification
		return Audit(ctx, tx, signedOut, userPath(actor.UserID), map[string]any{"session": id})
	})
}

// EndSessions signs the actor out in every browser.
func (s *Service) EndSessions(ctx context.Context) error {
	actor, err := Authorize(ctx)
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
		db.AfterCommit(ctx, func() { s.signIn.forgetSessions(actor.UserID) })
		return Audit(ctx, tx, signedOut, userPath(actor.UserID), map[string]any{"sessions": n})
	})
}
