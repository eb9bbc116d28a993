package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"itemcast/internal/db"
	"itemcast/internal/db/dbsqlc"
	"itemcast/internal/problem"
)

const (
	rememberFor  = 5 * time.Minute
	rememberMost = 10_000
)

var errCredentials = problem.New(problem.Unauthenticated, "The e-mail address or the password is wrong.")

// SignIn verifies credentials. A verified password is remembered for minutes by a digest under a key that only this process has, so that
// argon2id is paid once and not with every request; everything is forgotten the moment any user or role changes, on every node (Run).
type SignIn struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	key  []byte
	// decoy is compared with when the address is unknown, so that the answer takes as long as for a wrong password.
	decoy func() string

	verifying singleflight.Group // by generation and digest

	review chan struct{} // one request waits here at most

	mu         sync.Mutex
	generation int // raised by forget; what was verified before it is not remembered after it
	known      *expirable.LRU[[sha256.Size]byte, Actor]
	watches    map[*watch]struct{}
}

// NewSignIn makes a SignIn on pool.
func NewSignIn(pool *pgxpool.Pool, log *slog.Logger) *SignIn {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return &SignIn{
		pool: pool, log: log, key: key,
		decoy: sync.OnceValue(func() string {
			hash, err := HashPassword(rand.Text())
			if err != nil {
				panic(err) // only if the machine has no randomness
			}
			return hash
		}),
		review:  make(chan struct{}, 1),
		known:   expirable.NewLRU[[sha256.Size]byte, Actor](rememberMost, nil, rememberFor),
		watches: map[*watch]struct{}{},
	}
}

// Basic returns the user of an e-mail address and a password. Error: UNAUTHENTICATED, the same for an unknown address, a wrong password
// and a user who is switched off.
func (s *SignIn) Basic(ctx context.Context, email, password string) (Actor, error) {
	digest := s.digest(email, password)
	s.mu.Lock()
	actor, ok := s.known.Get(digest)
	generation := s.generation
	s.mu.Unlock()
	if ok {
		return actor, nil
	}
	return s.verifyOnce(ctx, email, password, digest, generation)
}

// verifyOnce verifies for all who ask for the same at the same time: when a user changes, every stream of every user signs in again.
func (s *SignIn) verifyOnce(ctx context.Context, email, password string, digest [sha256.Size]byte, generation int) (Actor, error) {
	verified := s.verifying.DoChan(fmt.Sprintf("%d %s", generation, digest[:]), func() (any, error) {
		actor, err := s.verify(context.WithoutCancel(ctx), email, password, generation) // others may wait for it when ctx has ended
		if err != nil {
			return Actor{}, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.generation == generation {
			s.known.Add(digest, actor)
		}
		return actor, nil
	})
	select {
	case <-ctx.Done():
		return Actor{}, ctx.Err()
	case result := <-verified:
		return result.Val.(Actor), result.Err
	}
}

func (s *SignIn) verify(ctx context.Context, email, password string, generation int) (Actor, error) {
	// What no text column of Postgres can hold is nobody's address, and asking for it would be an error.
	if len(email) > 320 || len(password) > 1024 || !db.IsText(email) {
		return Actor{}, errCredentials
	}
	user, err := dbsqlc.New(s.pool).UserByEmail(ctx, email)
	unknown := errors.Is(err, pgx.ErrNoRows)
	if err != nil && !unknown {
		return Actor{}, fmt.Errorf("look up user: %w", err)
	}
	hash := user.PasswordHash
	if unknown {
		hash = s.decoy()
	}
	match, err := verifyPassword(ctx, password, hash)
	if err != nil {
		return Actor{}, fmt.Errorf("verify password: %w", err)
	}
	if unknown || !match || !user.Active {
		return Actor{}, errCredentials
	}
	return s.actor(user, generation), nil
}

// actor is the user of a row that was read not before a generation.
func (s *SignIn) actor(user dbsqlc.UserByEmailRow, generation int) Actor {
	permissions := make(Permissions, len(user.Permissions))
	for i, p := range user.Permissions {
		permissions[i] = Permission(p)
	}
	return Actor{AccountID: user.AccountID, UserID: user.ID, Email: user.Email, Name: user.Name, Role: user.Role, Permissions: permissions,
		credentials: s.digest(user.Email, user.PasswordHash), generation: generation}
}

func (s *SignIn) digest(email, password string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, s.key)
	_, _ = fmt.Fprintf(mac, "%d:%s%s", len(email), email, password)
	mac.Sum(sum[:0])
	return sum
}

func (s *SignIn) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	s.known.Purge()
	s.askReview()
}

// Run forgets what is remembered, and reviews what is watched, whenever a user or a role changes, until ctx ends. While it cannot listen,
// nothing stays remembered.
func (s *SignIn) Run(ctx context.Context) error {
	var reviews sync.WaitGroup
	reviews.Go(func() { s.runReviews(ctx) })
	defer reviews.Wait()
	for ctx.Err() == nil {
		err := s.listen(ctx)
		s.forget()
		if err != nil && ctx.Err() == nil {
			s.log.Warn("lost the connection that listens for changes of access; connecting again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (s *SignIn) listen(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN itemcast_access"); err != nil {
		return err
	}
	s.forget() // what changed before LISTEN took hold
	for {
		waiting, cancel := context.WithTimeout(ctx, time.Second)
		_, err := conn.WaitForNotification(waiting)
		cancel()
		switch {
		case err == nil:
			s.forget()
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		default:
			if err := ping(ctx, conn); err != nil {
				return err
			}
		}
	}
}

func ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return conn.Ping(ctx)
}
