package workflow

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook/egress"
	"itemcast/internal/item"
	"itemcast/internal/workflow/internal/store"
)

// Config is what NewService needs.
type Config struct {
	Pool *pgxpool.Pool
	Log  *slog.Logger

	// Changed is called, while Run runs, when a profile has changed on any node, and when notifications may have been
	// missed: items may have become hidden from roles, or visible. It must not block.
	Changed func()

	Reach egress.Policy // what tasks may reach
	Hooks Hooks         // sends the tasks
	// Resolver looks up the hosts of tasks in a dry run. Nil: the system's.
	Resolver *net.Resolver

	Starter *Starter      // begins runs; nil: a new one
	Items   *item.Service // nil: the service moves no runs
	// Moves is the pool of moves, and JobsPool that of the queue of jobs (db.OpenQueue; a lost commit of the latter does
	// no harm). With pools of their own, runs never keep requests waiting. nil: Pool.
	Moves, JobsPool *pgxpool.Pool
	Processor       Processor     // nil: the actions process are skipped
	ProcessJobs     int           // items that this node processes at once; 0: 1; negative: none
	SweepPause      time.Duration // between two searches for runs that a dead node left; 0: 5 s
}

// Service manages an account's workflow profiles, and runs them. Its methods may be called concurrently.
type Service struct {
	*launcher
	pool        *pgxpool.Pool
	log         *slog.Logger
	changed     func()
	items       *item.Service
	moves       *pgxpool.Pool
	jobsPool    *pgxpool.Pool
	processor   Processor
	processJobs int // 0: none
	sweepPause  time.Duration
	metrics     *runMetrics
	terms       *termsCache

	reach    egress.Policy
	hooks    Hooks
	resolver *net.Resolver
}

// NewService returns a Service on the database of config.
func NewService(config Config) *Service {
	if config.Starter == nil {
		config.Starter = NewStarter(config.Log)
	}
	if config.Changed == nil {
		config.Changed = func() {}
	}
	return &Service{
		launcher: config.Starter.launcher, pool: config.Pool, log: config.Log, changed: config.Changed, items: config.Items,
		moves: cmp.Or(config.Moves, config.Pool), jobsPool: cmp.Or(config.JobsPool, config.Pool),
		processor: config.Processor, processJobs: max(0, cmp.Or(config.ProcessJobs, 1)),
		sweepPause: cmp.Or(config.SweepPause, sweepPause), metrics: newRunMetrics(),
		terms: newTermsCache(),
		reach: config.Reach, hooks: config.Hooks, resolver: config.Resolver,
	}
}

// change runs fn in a transaction that excludes other changes of the account's users, roles and settings: profiles name
// roles, and are defaults of users. fn receives the actor with the permissions that the transaction reads. This node
// knows the new terms of uploads at once. Errors: UNAUTHENTICATED, FORBIDDEN.
func (s *Service) change(ctx context.Context,
	fn func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error) error {
	defer s.terms.forget()
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		if actor, ok := account.ActorFrom(ctx); ok {
			if err := account.LockAccess(ctx, tx, actor.AccountID); err != nil {
				return err
			}
		}
		actor, err := account.Reauthorize(ctx, tx, account.WorkflowsManage)
		if err != nil {
			return err
		}
		return fn(ctx, tx, store.New(tx), actor)
	})
}
