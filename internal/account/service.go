package account

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
)

// Config is what NewService needs.
type Config struct {
	Pool         *pgxpool.Pool
	Log          *slog.Logger
	PublicURL    string        // the base of reset links, without a trailing slash
	AuditKeepFor time.Duration // the age at which RunAuditRetention deletes an entry; 0: never

	// Forget is called after a change of a user; with uuid.Nil, after one that concerns every user. This node's
	// sign-ins then read them again at once, while those of other nodes wait for a notification. It may be nil.
	Forget func(userID uuid.UUID)
}

// Service manages an account's settings, users and roles. Its methods may be called concurrently; each authorizes the
// actor first.
//
// Two rules hold under any concurrency. An administrator remains. An actor cannot grant or revoke a permission that the
// actor lacks, nor change a user or a role that has it.
type Service struct {
	pool         *pgxpool.Pool
	log          *slog.Logger
	publicURL    string
	auditKeepFor time.Duration
	forget       func(userID uuid.UUID)
}

// NewService returns a Service on the database of config.
func NewService(config Config) *Service {
	forget := config.Forget
	if forget == nil {
		forget = func(uuid.UUID) {}
	}
	return &Service{pool: config.Pool, log: config.Log, publicURL: config.PublicURL, auditKeepFor: config.AuditKeepFor,
		forget: forget}
}

// change runs fn in a transaction that excludes other changes of the account's users and roles. fn receives the actor
// with the permissions that the transaction reads. change rolls back when no administrator would remain. Errors:
// UNAUTHENTICATED, FORBIDDEN, CONFLICT.
func (s *Service) change(ctx context.Context, actor Actor,
	fn func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error) error {
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		if err := LockAccess(ctx, tx, actor.AccountID); err != nil {
			return err
		}
		actor, err := Reauthorize(ctx, tx, UsersManage)
		if err != nil {
			return err
		}
		if err := fn(ctx, tx, q, actor); err != nil {
			return err
		}
		return requireAdministrator(ctx, q, actor.AccountID)
	})
}

// LockAccess excludes other changes of the account's settings, users and roles, until the transaction ends. It costs no
// round trip. Take it before other locks.
func LockAccess(ctx context.Context, tx pgx.Tx, accountID uuid.UUID) error {
	if err := store.New(db.Deferred(tx)).LockAccess(ctx, accountID); err != nil {
		return fmt.Errorf("lock access: %w", err)
	}
	return nil
}

// accountPath is the account's subject in the audit log.
const accountPath = "account"

func userPath(id uuid.UUID) string { return "users/" + id.String() }
func rolePath(id uuid.UUID) string { return "roles/" + id.String() }

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
