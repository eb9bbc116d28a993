package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

const (
	sessionIdle  = 12 * time.Hour
	sessionLasts = 7 * 24 * time.Hour

	expireEvery = time.Hour
	maxToken    = 64 // bytes; ours have 26
)

var (
	errSession = problem.New(problem.Unauthenticated, "The session has ended; sign in again.")
	errAPIUser = problem.New(problem.Forbidden, "This is an API user: it signs in by HTTP Basic, and not on pages.")
)

// NewSession is what the browser of somebody who has signed in is given. The token is nowhere else.
type NewSession struct {
	Token   string
	Expires time.Time
}

// Open signs somebody in on a page: it makes a session, and ends the one of the token that the browser came with. Errors: as Basic; FORBIDDEN
// for an API user.
func (s *SignIn) Open(ctx context.Context, email, password, userAgent, oldToken string) (NewSession, error) {
	s.mu.Lock()
	generation := s.generation
	s.mu.Unlock()
	actor, err := s.verifyOnce(ctx, credentials{email, password, s.digest(email, password), byPage}, generation)
	if err != nil {
		return NewSession{}, err
	}
	if actor.kind == apiUser {
		return NewSession{}, errAPIUser
	}
	made := NewSession{Token: rand.Text(), Expires: time.Now().Add(s.Lasts)}
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		held, err := q.HoldCredentials(ctx, store.HoldCredentialsParams{AccountID: actor.AccountID, ID: actor.UserID})
		if errors.Is(err, pgx.ErrNoRows) || err == nil && credentialsOf(held.Email, held.PasswordHash) != actor.credentials {
			return errCredentials // what was verified has changed meanwhile; a change that is still to come ends this session too
		}
		if err != nil {
			return fmt.Errorf("hold the user: %w", err)
		}
		if oldToken != "" && len(oldToken) <= maxToken {
			if _, err := q.EndSessionByToken(ctx, hashToken(oldToken)); err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return fmt.Errorf("end the session before: %w", err)
			}
		}
		err = q.InsertSession(ctx, store.InsertSessionParams{ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID, UserID: actor.UserID,
			TokenHash: hashToken(made.Token), Address: AddressFrom(ctx), UserAgent: excerpt(userAgent), ExpiresAt: made.Expires})
		if err != nil {
			return fmt.Errorf("insert session: %w", err)
		}
		return audit(ctx, tx, actor, signedIn, userPath(actor.UserID), map[string]string{"by": byPage})
	})
	return made, err
}

// Session returns the user of a session's token. What it finds is remembered for minutes, and forgotten the moment a session ends or a user
// changes, on every node. Error: UNAUTHENTICATED.
func (s *SignIn) Session(ctx context.Context, token string) (Actor, error) {
	if token == "" || len(token) > maxToken {
		return Actor{}, errSession
	}
	hash := sha256.Sum256([]byte(token))
	s.mu.Lock()
	actor, ok := s.sessions.Get(hash)
	ok = ok && s.holds(actor)
	generation := s.generation
	s.mu.Unlock()
	if ok && time.Now().Before(actor.ends) {
		return actor, nil
	}
	found := s.verifying.DoChan(fmt.Sprintf("session %d %s", generation, hash[:]), func() (any, error) {
		return s.useSession(context.WithoutCancel(ctx), hash, generation)
	})
	select {
	case <-ctx.Done():
		return Actor{}, ctx.Err()
	case result := <-found:
		return result.Val.(Actor), result.Err
	}
}

func (s *SignIn) useSession(ctx context.Context, hash [sha256.Size]byte, generation int) (Actor, error) {
	row, err := store.New(s.pool).UseSession(ctx, store.UseSessionParams{TokenHash: hash[:], IdleSince: time.Now().Add(-s.Idle)})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !row.Active {
		return Actor{}, errSession
	}
	if err != nil {
		return Actor{}, fmt.Errorf("look up session: %w", err)
	}
	actor := s.actor(store.UserByEmailRow{ID: row.ID, AccountID: row.AccountID, Email: row.Email, Name: row.Name, Kind: row.Kind,
		PasswordHash: row.PasswordHash, Active: row.Active, RoleID: row.RoleID, Role: row.Role, Permissions: row.Permissions}, generation)
	actor.SessionID, actor.ends = row.SessionID, row.ExpiresAt
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions.Add(hash, actor)
	return actor, nil
}

// Close signs the browser out that has a token, and with everywhere all browsers of its user, whether or not the user has api.access. One that is
// signed in no more is no error.
func (s *SignIn) Close(ctx context.Context, token string, everywhere bool) error {
	if token == "" || len(token) > maxToken {
		return nil
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		row, err := q.EndSessionByToken(ctx, hashToken(token))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		db.AfterCommit(ctx, func() { s.forgetSessions(row.UserID) }) // this node at once, the others by notification
		actor := Actor{AccountID: row.AccountID, UserID: row.UserID, Email: row.Email}
		if !everywhere {
			return audit(ctx, tx, actor, signedOut, userPath(row.UserID), nil)
		}
		n, err := q.EndSessions(ctx, store.EndSessionsParams{AccountID: row.AccountID, UserID: row.UserID})
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		return audit(ctx, tx, actor, signedOut, userPath(row.UserID), map[string]any{"sessions": n + 1})
	})
}

// runExpiry deletes, every now and then, what has expired.
func (s *SignIn) runExpiry(ctx context.Context) {
	every := time.NewTicker(expireEvery)
	defer every.Stop()
	for {
		if err := s.dropExpired(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot delete expired sessions, links and audit entries; trying again later", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (s *SignIn) dropExpired(ctx context.Context, now time.Time) error {
	q := store.New(s.pool)
	err := errors.Join(q.DropExpiredSessions(ctx, now.Add(-s.Idle)), q.DropExpiredResetLinks(ctx))
	if s.KeepAudit > 0 {
		err = errors.Join(err, q.DropOldAudits(ctx, earliest(now.Add(-s.KeepAudit))))
	}
	return err
}

// earliest is the lowest UUIDv7 of a time (RFC 9562, section 5.7: it begins with the milliseconds since 1970).
func earliest(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	return id
}

func hashToken(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}

// excerpt is what is kept of a text that a stranger chose.
func excerpt(text string) string {
	if !db.IsText(text) {
		return ""
	}
	for len(text) > 300 {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
