package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

const (
	rememberFor  = 5 * time.Minute
	rememberMost = 10_000
)

var errCredentials = problem.New(problem.Unauthenticated, "The e-mail address or the password is wrong.")

// SignIn verifies credentials. A verified password is remembered for minutes by a digest under a key that only this process has, so that
// argon2id is paid once and not with every request; what is known of a user is forgotten the moment the user or any role changes, on every node
// (Run).
type SignIn struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	key  []byte
	// decoy is compared with when the address is unknown, so that the answer takes as long as for a wrong password.
	decoy func() string

	verifying singleflight.Group // by generation and digest
	throttle  *throttle
	notes     notes

	// Idle and Lasts are how long a session lives without being used, and at all; KeepAudit how long the audit log keeps an entry (an hour longer
	// at most), 0 for ever. Profiles is called when a workflow profile has changed: what was rendered of items may be hidden now. They are set
	// before Run.
	Idle, Lasts, KeepAudit time.Duration
	Profiles               func()

	review chan struct{} // one request waits here at most

	mu         sync.Mutex
	generation int                                      // raised by every change of access that is heard of
	anybody    int                                      // the generation of the last one that may be about anybody
	users      map[uuid.UUID]int                        // of the last one about each user since
	endings    map[uuid.UUID]int                        // of the last end of a session of each user since
	known      *expirable.LRU[[sha256.Size]byte, Actor] // who signed in by HTTP Basic, by the digest
	sessions   *expirable.LRU[[sha256.Size]byte, Actor] // by the hash of the token
	watches    map[*watch]struct{}
}

// NewSignIn makes a SignIn on pool.
func NewSignIn(pool *pgxpool.Pool, log *slog.Logger) *SignIn {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return &SignIn{
		pool: pool, log: log, key: key,
		decoy: sync.OnceValue(func() string {
			hash, err := argon2id.CreateHash(rand.Text(), argonParams) // without waiting for a turn: there is but one
			if err != nil {
				panic(err) // only if the machine has no randomness
			}
			return hash
		}),
		throttle: newThrottle(), notes: newNotes(pool, log),
		Idle: sessionIdle, Lasts: sessionLasts, Profiles: func() {},
		review:   make(chan struct{}, 1),
		known:    expirable.NewLRU[[sha256.Size]byte, Actor](rememberMost, nil, rememberFor),
		sessions: expirable.NewLRU[[sha256.Size]byte, Actor](rememberMost, nil, rememberFor),
		users:    map[uuid.UUID]int{}, endings: map[uuid.UUID]int{}, watches: map[*watch]struct{}{},
	}
}

// How a user signs in, as the audit log tells.
const (
	byBasic  = "basic"
	byPage   = "page"
	byChange = "password change" // no sign-in, but as good as one
)

// Basic returns the user of an e-mail address and a password. Errors: UNAUTHENTICATED, the same for an unknown address, a wrong password
// and a user who is switched off; TOO_MANY_REQUESTS after too many failures.
func (s *SignIn) Basic(ctx context.Context, email, password string) (Actor, error) {
	digest := s.digest(email, password)
	s.mu.Lock()
	actor, ok := s.known.Get(digest)
	ok = ok && s.holds(actor)
	generation := s.generation
	s.mu.Unlock()
	if ok {
		return actor, nil
	}
	return s.verifyOnce(ctx, credentials{email, password, digest, byBasic}, generation)
}

// credentials are what somebody gives who signs in, and how.
type credentials struct {
	email, password string
	digest          [sha256.Size]byte
	by              string
}

// verifyOnce verifies for all who ask for the same at the same time: when a user changes, every stream of every user signs in again.
func (s *SignIn) verifyOnce(ctx context.Context, given credentials, generation int) (Actor, error) {
	verified := s.verifying.DoChan(fmt.Sprintf("%d %s %s", generation, given.by, given.digest[:]), func() (any, error) {
		actor, err := s.verify(context.WithoutCancel(ctx), given, generation) // others may wait for it when ctx has ended
		if err != nil {
			return Actor{}, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.known.Add(given.digest, actor)
		return actor, nil
	})
	select {
	case <-ctx.Done():
		return Actor{}, ctx.Err()
	case result := <-verified:
		return result.Val.(Actor), result.Err
	}
}

// verify asks the throttle, the database and argon2id, in this order.
func (s *SignIn) verify(ctx context.Context, given credentials, generation int) (Actor, error) {
	// What no text column of Postgres can hold is nobody's address, and asking for it would be an error.
	if len(given.email) > 320 || len(given.password) > maxPassword || !db.IsText(given.email) {
		return Actor{}, errCredentials
	}
	attempt, first, refused := s.throttle.begin(given.email, AddressFrom(ctx), given.digest)
	if refused != nil {
		if first {
			s.noteRefusal(ctx, given)
		}
		return Actor{}, refused
	}
	user, why, err := s.look(ctx, given)
	switch {
	case err != nil:
		attempt.undo()
		return Actor{}, err
	case why != "":
		attempt.fail()
		s.notes.add(ctx, user, signInFailed, map[string]string{"by": given.by, "why": why})
		return Actor{}, errCredentials
	}
	if fresh := attempt.succeed(); fresh && given.by == byBasic {
		s.notes.add(ctx, user, signedIn, map[string]string{"by": given.by})
	}
	return s.actor(user, generation), nil
}

// look finds the user of an address, and says why the credentials are not the user's; "" when they are. Whatever the reason, it takes as long.
func (s *SignIn) look(ctx context.Context, given credentials) (user store.UserByEmailRow, why string, err error) {
	user, err = store.New(s.pool).UserByEmail(ctx, given.email)
	unknown := errors.Is(err, pgx.ErrNoRows)
	if err != nil && !unknown {
		return user, "", fmt.Errorf("look up user: %w", err)
	}
	hash := user.PasswordHash
	if hash == "" { // unknown, or without a password yet
		hash = s.decoy()
	}
	match, err := verifyPassword(ctx, given.password, hash)
	switch {
	case err != nil:
		return user, "", fmt.Errorf("verify password: %w", err)
	case unknown:
		s.log.Info("a sign-in failed: there is no such user", "email", given.email, "address", AddressFrom(ctx))
		return user, "unknown", nil
	case user.PasswordHash == "":
		return user, "no password is set", nil
	case !match:
		return user, "wrong password", nil
	case !user.Active:
		return user, "disabled", nil
	}
	return user, "", nil
}

// noteRefusal notes that attempts to sign in as a user are turned away. It is after the answer is decided, and off its path.
func (s *SignIn) noteRefusal(ctx context.Context, given credentials) {
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reviewWithin)
		defer cancel()
		if user, err := store.New(s.pool).UserByEmail(ctx, given.email); err == nil {
			s.notes.add(ctx, user, signInThrottled, map[string]string{"by": given.by})
		}
	}()
}

// toActor is the user of a row.
func toActor(user store.UserByEmailRow) Actor {
	permissions := make(Permissions, len(user.Permissions))
	for i, p := range user.Permissions {
		permissions[i] = Permission(p)
	}
	return Actor{AccountID: user.AccountID, UserID: user.ID, Email: user.Email, Name: user.Name, RoleID: user.RoleID, Role: user.Role,
		Permissions: permissions, kind: user.Kind, credentials: credentialsOf(user.Email, user.PasswordHash)}
}

// actor is the user of a row that was read not before a generation.
func (s *SignIn) actor(user store.UserByEmailRow, generation int) Actor {
	a := toActor(user)
	a.generation = generation
	return a
}

// credentialsOf is another one for a user whose address or password has changed. The hash has a salt, so that nothing can be told from it.
func credentialsOf(email, passwordHash string) [sha256.Size]byte {
	return sha256.Sum256([]byte(email + " " + passwordHash))
}

func (s *SignIn) digest(email, password string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, s.key)
	_, _ = fmt.Fprintf(mac, "%d:%s%s", len(email), email, password)
	mac.Sum(sum[:0])
	return sum
}

// holds reports whether what was read of an actor holds: nothing has been heard since that may have made it wrong. The lock is held.
func (s *SignIn) holds(a Actor) bool {
	return a.generation >= s.anybody && a.generation >= s.users[a.UserID] && (a.SessionID == uuid.Nil || a.generation >= s.endings[a.UserID])
}

// forget forgets all that a change of roles may have made wrong.
func (s *SignIn) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetAll()
}

// forgetAll is forget with the lock held.
func (s *SignIn) forgetAll() {
	s.generation++
	s.anybody = s.generation
	clear(s.users)
	clear(s.endings)
	s.known.Purge()
	s.sessions.Purge()
	s.askReview()
}

// forgetUser forgets what a change of a user may have made wrong: nobody else pays for it.
func (s *SignIn) forgetUser(id uuid.UUID) { s.forgetOf(s.users, id) }

// forgetSessions forgets what a session that has ended makes wrong: only its user's sessions are looked up again.
func (s *SignIn) forgetSessions(user uuid.UUID) { s.forgetOf(s.endings, user) }

func (s *SignIn) forgetOf(last map[uuid.UUID]int, user uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(last) >= rememberMost {
		s.forgetAll()
		return
	}
	s.generation++
	last[user] = s.generation
	s.askReview()
}

// heed does what a notification says (sql/migrations/00100_account.sql).
func (s *SignIn) heed(payload string) {
	what, whose, _ := strings.Cut(payload, " ")
	user, err := uuid.Parse(whose)
	switch {
	case what == "profile":
		s.Profiles()
	case what == "user" && err == nil:
		s.forgetUser(user)
	case what == "session" && err == nil:
		s.forgetSessions(user)
	default:
		s.forget()
	}
}

// Run forgets what is remembered, and reviews what is watched, whenever a user or a role changes, until ctx ends. While it cannot listen,
// nothing stays remembered.
func (s *SignIn) Run(ctx context.Context) error {
	var reviews sync.WaitGroup
	reviews.Go(func() { s.runReviews(ctx) })
	reviews.Go(func() { s.notes.run(ctx) })
	reviews.Go(func() { s.runExpiry(ctx) })
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
		notification, err := conn.WaitForNotification(waiting)
		cancel()
		switch {
		case err == nil:
			s.heed(notification.Payload)
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
