package upload

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
)

const (
	seenEvery  = 5 * time.Second
	deadAfter  = 2 * time.Minute // a node whose uploads were not seen for so long is dead
	sweepEvery = time.Minute
	keepFor    = ticket.Lifetime + 24*time.Hour // so that no ticket outlives the record of its nonce
)

// DefaultMaxSize is the largest upload unless the operator sets another limit: some ten hours of 1080p from a camera.
const DefaultMaxSize = 100 << 30 // bytes

// MaxFiles is how many files one upload may have.
const MaxFiles = 100

// Config is what a Service needs.
type Config struct {
	Pool  *pgxpool.Pool
	Items *item.Service
	Media *media.Service
	// Terms returns what a workflow profile allows to tickets. Error: NOT_FOUND.
	Terms func(ctx context.Context, profile uuid.UUID) (ticket.Terms, error)
	// CheckItem checks an item input against the contract, before a byte of the files is read.
	CheckItem item.Checker
	Assets    Assets           // for resumable uploads that add a file to an item
	Presence  *pgxpool.Pool    // of one connection that this node keeps; nil: Pool
	Now       func() time.Time // nil: time.Now. When resumable uploads expire
	MaxSize   int64            // bytes of an upload, whatever its ticket allows; 0: DefaultMaxSize
	Log       *slog.Logger
}

// Service receives uploads, lists and stops them. Its methods may be called concurrently.
type Service struct {
	Config
	node    uuid.UUID
	metrics *metrics

	mu       sync.Mutex
	underWay map[uuid.UUID]*Upload // that this node receives
	held     map[uuid.UUID]*Held   // the resumable ones, by their writers
	present  bool                  // this node holds the lock that tells that it lives
}

// NewService returns a Service.
func NewService(c Config) *Service {
	c.MaxSize = cmp.Or(c.MaxSize, DefaultMaxSize)
	c.Presence = cmp.Or(c.Presence, c.Pool)
	return &Service{Config: c, node: uuid.Must(uuid.NewV7()), metrics: newMetrics(), underWay: map[uuid.UUID]*Upload{},
		held: map[uuid.UUID]*Held{}}
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// ExpiresAt returns when a resumable upload that begins now expires, unless more comes.
func (s *Service) ExpiresAt() time.Time { return s.now().Add(ExpireAfter) }

var errStopped = problem.New(problem.Conflict, "The upload was stopped on the server, by an operator or because its "+
	"database was away for too long. Nothing of it was kept.")

// track makes Run report an upload as alive.
func (s *Service) track(u *Upload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay[u.id] = u
}

func (s *Service) forget(u *Upload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.underWay, u.id)
}

// tracked returns the uploads that this node receives.
func (s *Service) tracked() []*Upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Upload, 0, len(s.underWay))
	for _, u := range s.underWay {
		all = append(all, u)
	}
	return all
}

// stopHere ends an upload at once if this node receives it.
func (s *Service) stopHere(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.underWay[id]; u != nil {
		u.cancel(errStopped)
	}
}
