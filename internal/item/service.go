package item

import (
	"log/slog"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/problem"
)

// Service reads and writes items. Its methods may be called concurrently. Each authorizes the context's actor first.
type Service struct {
	pool       *pgxpool.Pool
	feed       *change.Feed
	sequencer  *change.Sequencer
	check      Checker
	checkPatch Checker
	publicURL  string
	version    int32
	workflows  Workflows
	files      Files
	sights     sights
	allRenewed atomic.Bool // no stale document is known
	log        *slog.Logger
}

// Checker checks JSON against the contract: that it is strict JSON, and matches a schema. The error has every fault.
type Checker func(input []byte) *problem.Error

// Config is what a Service needs. PublicURL is the base of every URL, without a trailing slash.
type Config struct {
	Pool       *pgxpool.Pool
	Feed       *change.Feed
	Sequencer  *change.Sequencer
	Check      Checker // against the schema ItemInput
	CheckPatch Checker // against the schema ItemPatch
	PublicURL  string
	Workflows  Workflows // nil: profiles start no runs
	Files      Files     // nil: there are none
	Log        *slog.Logger
}

// NewService returns a Service.
func NewService(c Config) *Service {
	return &Service{
		pool: c.Pool, feed: c.Feed, sequencer: c.Sequencer, check: c.Check, checkPatch: c.CheckPatch,
		publicURL: c.PublicURL, version: documentVersion(c.PublicURL), workflows: c.Workflows,
		files: c.Files, sights: newSights(c.Pool), log: c.Log,
	}
}

func (s *Service) url(id uuid.UUID) string { return s.publicURL + "/api/v1/items/" + id.String() }

var errNotFound = problem.New(problem.NotFound, "There is no item with this id that you may see.")
