package workflow

import (
	"context"
	"log/slog"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook/egress"
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
}

// Service manages an account's workflow profiles. Its methods may be called concurrently.
type Service struct {
	pool    *pgxpool.Pool
	log     *slog.Logger
	changed func()

	reach    egress.Policy
	hooks    Hooks
	resolver *net.Resolver
}

// NewService returns a Service on the database of config.
func NewService(config Config) *Service {
	return &Service{pool: config.Pool, log: config.Log, changed: config.Changed, reach: config.Reach,
		hooks: config.Hooks, resolver: config.Resolver}
}

// Run announces changes of profiles, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	db.Listen(ctx, s.pool, db.Listener{Channel: "itemcast_workflow_profile", Log: s.log,
		Connected: s.changed, Notified: func(string) { s.changed() }})
	return nil
}

// change runs fn in a transaction that excludes other changes of the account's users, roles and settings: profiles name
// roles, and are defaults of users. fn receives the actor with the permissions that the transaction reads. Errors:
// UNAUTHENTICATED, FORBIDDEN.
func (s *Service) change(ctx context.Context,
	fn func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error) error {
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
