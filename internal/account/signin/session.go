package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

const (
	maxToken     = 64  // bytes; ours have 26
	maxUserAgent = 300 // bytes that are stored
)

var errAPIUser = problem.New(problem.Forbidden, "An API user signs in by HTTP Basic, not on pages.")

// NewSession is a session that has just begun. Only the browser's cookie holds its token; the database holds a hash.
type NewSession struct {
	Token   string
	Expires time.Time
}

// Open signs a person in on a page: it begins a session, and ends the session of oldToken, which the browser sent, if
// any. Errors: as Basic; FORBIDDEN for an API user.
func (s *Service) Open(ctx context.Context, email, password, userAgent, oldToken string) (NewSession, error) {
	actor, err := s.checkOnce(ctx, s.credentials(email, password, byPage), s.cache.current())
	if err != nil {
		return NewSession{}, err
	}
	if actor.Kind == account.KindAPI {
		return NewSession{}, errAPIUser
	}
	session := NewSession{Token: rand.Text(), Expires: time.Now().Add(s.maxAge)}
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		if err := lockCredentials(ctx, q, actor); err != nil {
			return err
		}
		if oldToken != "" && len(oldToken) <= maxToken {
			if _, err := q.EndSessionByToken(ctx, hashToken(oldToken)); err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return fmt.Errorf("end the previous session: %w", err)
			}
		}
		err := q.InsertSession(ctx, store.InsertSessionParams{ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID,
			UserID: actor.UserID, TokenHash: hashToken(session.Token), Address: account.AddressFrom(ctx),
			UserAgent: excerpt(userAgent), ExpiresAt: session.Expires})
		if err != nil {
			return fmt.Errorf("insert session: %w", err)
		}
		return account.Audit(account.WithActor(ctx, actor), tx, signedIn, userPath(actor.UserID),
			map[string]string{"by": byPage})
	})
	return session, err
}

// lockCredentials refuses credentials that have changed since they were verified. A later change waits for the
// transaction, and then ends the session that begins here.
func lockCredentials(ctx context.Context, q *store.Queries, actor account.Actor) error {
	row, err := q.LockCredentials(ctx, store.LockCredentialsParams{AccountID: actor.AccountID, ID: actor.UserID})
	if errors.Is(err, pgx.ErrNoRows) {
		return account.ErrCredentials
	}
	if err != nil {
		return fmt.Errorf("lock the user: %w", err)
	}
	if account.CredentialsOf(row.Email, row.PasswordHash) != actor.Proof.Credentials {
		return account.ErrCredentials
	}
	return nil
}

// Session returns the user of a session's token. Error: UNAUTHENTICATED.
func (s *Service) Session(ctx context.Context, token string) (account.Actor, error) {
	if token == "" || len(token) > maxToken {
		return account.Actor{}, account.ErrSessionEnded
	}
	hash := digest(sha256.Sum256([]byte(token)))
	actor, generation, ok := s.cache.get(s.cache.sessions, hash)
	if ok && time.Now().Before(actor.Proof.ExpiresAt) {
		return actor, nil
	}
	found := s.inFlight.DoChan(fmt.Sprintf("session %d %s", generation, hash[:]), func() (any, error) {
		return s.readSession(context.WithoutCancel(ctx), hash, generation)
	})
	select {
	case <-ctx.Done():
		return account.Actor{}, ctx.Err()
	case result := <-found:
		return result.Val.(account.Actor), result.Err
	}
}

func (s *Service) readSession(ctx context.Context, hash digest, generation int) (account.Actor, error) {
	row, err := store.New(s.pool).UseSession(ctx, store.UseSessionParams{TokenHash: hash[:],
		IdleSince: time.Now().Add(-s.idleTimeout)})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !row.Active {
		return account.Actor{}, account.ErrSessionEnded
	}
	if err != nil {
		return account.Actor{}, fmt.Errorf("find the session: %w", err)
	}
	actor := account.ActorOf(store.UserByEmailRow{ID: row.ID, AccountID: row.AccountID, Email: row.Email, Name: row.Name,
		Kind: row.Kind, PasswordHash: row.PasswordHash, Active: row.Active, RoleID: row.RoleID, Role: row.Role,
		Permissions: row.Permissions, DefaultWorkflowProfileID: row.DefaultWorkflowProfileID,
		AccountDefaultProfileID: row.AccountDefaultProfileID})
	actor.SessionID, actor.Proof.Generation, actor.Proof.ExpiresAt = row.SessionID, generation, row.ExpiresAt
	s.cache.add(s.cache.sessions, hash, actor)
	return actor, nil
}

// Close ends the session of a token or, with everywhere, all sessions of its user. It needs no permission. An unknown
// or ended session is no error.
func (s *Service) Close(ctx context.Context, token string, everywhere bool) error {
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
		db.AfterCommit(ctx, func() { s.forgetSessions(row.UserID) }) // on this node at once; the others are notified
		ctx = account.WithActor(ctx, account.Actor{AccountID: row.AccountID, UserID: row.UserID, Email: row.Email})
		if !everywhere {
			return account.Audit(ctx, tx, signedOut, userPath(row.UserID), nil)
		}
		n, err := q.EndSessions(ctx, store.EndSessionsParams{AccountID: row.AccountID, UserID: row.UserID})
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		return account.Audit(ctx, tx, signedOut, userPath(row.UserID), map[string]any{"sessions": n + 1})
	})
}

func hashToken(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}

// excerpt returns the part of a User-Agent that is stored.
func excerpt(text string) string {
	if validate.Storable(text) != "" {
		return ""
	}
	for len(text) > maxUserAgent {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
