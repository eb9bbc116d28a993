package signin

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"itemcast/internal/account/password"
	"itemcast/internal/wake"
)

const (
	defaultIdleTimeout = 12 * time.Hour
	defaultMaxAge      = 7 * 24 * time.Hour

	statementTimeout = 5 * time.Second // in the background
	taskRetry        = time.Second
)

// Config is what New needs. Zero durations stand for the defaults.
type Config struct {
	Pool        *pgxpool.Pool
	Reviews     *pgxpool.Pool // for reviews, so that they do not queue behind requests; default: Pool
	Log         *slog.Logger
	IdleTimeout time.Duration // a session ends after this time without use; default: 12 hours
	MaxAge      time.Duration // a session ends after this time in any case; default: 7 days
}

// Service signs users in. Its methods may be called concurrently. It caches verified users for minutes; while Run runs,
// it drops a cached user as soon as the user changes.
type Service struct {
	pool        *pgxpool.Pool
	reviews     *pgxpool.Pool
	log         *slog.Logger
	idleTimeout time.Duration
	maxAge      time.Duration

	key      []byte // of this process, for the digests of credentials
	verify   func(ctx context.Context, password, hash string) (bool, error)
	inFlight singleflight.Group
	throttle *throttle
	cache    *cache
	watchers *watchers
	origins  *origins
	meters   *meters
	audit    auditQueue

	refusedTokens atomic.Int64 // for the metrics
}

// New returns a Service. The caller starts Run.
func New(config Config) *Service {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	s := &Service{pool: config.Pool, reviews: cmp.Or(config.Reviews, config.Pool), log: config.Log,
		idleTimeout: config.IdleTimeout, maxAge: config.MaxAge,
		key: key, verify: password.Verify, throttle: newThrottle(), cache: newCache(), watchers: newWatchers(),
		meters: newMeters(), origins: newOrigins(), audit: newAuditQueue(config.Pool, config.Log)}
	if s.idleTimeout == 0 {
		s.idleTimeout = defaultIdleTimeout
	}
	if s.maxAge == 0 {
		s.maxAge = defaultMaxAge
	}
	return s
}

// Run keeps the cache and the watched actors up to date, writes audit entries, records the use of access tokens and
// deletes expired sessions, until ctx ends. While it cannot listen for changes, it empties the cache every second.
func (s *Service) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	parts.Go(func() {
		s.onSignal(ctx, s.watchers.review, "review the permissions of open connections", 0, s.reviewAll)
	})
	parts.Go(func() { s.audit.run(ctx) })
	parts.Go(func() { s.runExpiry(ctx) })
	parts.Go(func() {
		s.onSignal(ctx, s.origins.reload, "read the origins of access tokens", originsPause, s.readOrigins)
	})
	parts.Go(func() { s.runUse(ctx) })
	defer parts.Wait()
	s.listen(ctx)
	return nil
}

// onSignal does a task after each signal, until ctx ends, with a pause after each time. It retries while the database
// is unavailable.
func (s *Service) onSignal(
	ctx context.Context, signal wake.Signal, task string, pause time.Duration, do func(context.Context) error,
) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signal:
		}
		if err := do(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot "+task+"; retrying", "error", err)
			time.AfterFunc(taskRetry, signal.Send)
		}
		if !wake.Pause(ctx, pause) {
			return
		}
	}
}

// Forget invalidates the cached actors of a user; with uuid.Nil, those of every user.
func (s *Service) Forget(userID uuid.UUID) {
	if userID == uuid.Nil {
		s.forgetEverybody()
		return
	}
	s.forgetUser(userID)
}

// forgetEverybody invalidates the cached actors of every user.
func (s *Service) forgetEverybody() {
	s.cache.forgetEverybody()
	s.watchers.review.Send()
}

// forgetUser invalidates the cached actors of one user.
func (s *Service) forgetUser(id uuid.UUID) {
	s.cache.forgetUser(id)
	s.watchers.review.Send()
}

// forgetSessions invalidates the cached actors of one user's sessions.
func (s *Service) forgetSessions(user uuid.UUID) {
	s.cache.forgetSessions(user)
	s.watchers.review.Send()
}

// forgetToken invalidates the cached actors of one access token.
func (s *Service) forgetToken(id uuid.UUID) {
	s.cache.forgetToken(id)
	s.watchers.review.Send()
}
