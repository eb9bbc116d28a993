package media

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/item"
	"itemcast/internal/media/blob"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
)

// Service stores and finds files. Its methods may be called concurrently.
type Service struct {
	pool      *pgxpool.Pool
	items     *item.Service
	bucket    *blob.Bucket
	publicURL string
	keepFor   time.Duration
	now       func() time.Time
	log       *slog.Logger
	key       atomic.Pointer[[]byte]    // signs links; nil until it has been read
	storage   atomic.Pointer[uuid.UUID] // the id of the storage; nil until it has been read
	marked    atomic.Bool               // the storage had its mark
	discarded wake.Signal               // there are bytes to delete at once
	metrics   *metrics

	mu      sync.Mutex
	storing map[string]bool // the keys that this node is storing
}

// Config is what a Service needs.
type Config struct {
	Pool      *pgxpool.Pool
	Items     *item.Service
	Bucket    *blob.Bucket  // nil: there is no storage, and every use of it is refused
	PublicURL string        // the base of absolute URLs, without a trailing slash
	KeepFor   time.Duration // how long the bytes of deleted items and assets are retained; 0: 24 hours
	Now       func() time.Time
	Log       *slog.Logger
}

// NewService returns a Service.
func NewService(c Config) *Service {
	s := &Service{pool: c.Pool, items: c.Items, bucket: c.Bucket, publicURL: c.PublicURL, keepFor: c.KeepFor, now: c.Now,
		log: c.Log, discarded: wake.New(), metrics: &metrics{}, storing: map[string]bool{}}
	if s.keepFor == 0 {
		s.keepFor = DefaultKeepFor
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// DefaultKeepFor is how long the bytes of deleted items and assets are retained.
const DefaultKeepFor = 24 * time.Hour

// ErrExpired is a link's whose signature holds, but whose time is over.
var ErrExpired = problem.New(problem.NotFound, "The link has expired. Ask for a new one.")

var (
	errNotFound = problem.New(problem.NotFound,
		"There is no such file, or you may not see its item. Sign in, or ask for a link to it.")
	errNoStorage = problem.New(problem.StorageUnavailable,
		"This server has no storage for files. Ask the operator to set ITEMCAST_STORAGE_URL.")
	errStorage  = problem.New(problem.StorageUnavailable, "The storage for files does not answer. Try again soon.")
	errUnmarked = problem.New(problem.StorageUnavailable,
		"The storage for files is not mounted, or is another one. Ask the operator to look at the log.")
	errFull = problem.New(problem.StorageUnavailable,
		"The storage for files is full. Try again when the operator has made room.")
)
