package token

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/token/internal/store"
)

// Service manages the access tokens of an account. Its methods may be called concurrently. Each user manages their own
// tokens. With users.manage an actor manages the tokens of every user all of whose permissions the actor has: a token
// acts for its user, as a password does.
//
// An actor who came with a token needs users.manage, so that the token of a public page shows nothing of its user's
// other tokens. Such an actor cannot make, change or rotate tokens at all: they could outlive the actor's own.
type Service struct{ pool *pgxpool.Pool }

// NewService returns a Service on pool.
func NewService(pool *pgxpool.Pool) *Service { return &Service{pool: pool} }

// authorize returns the actor of ctx. An actor who came with a token needs users.manage. Errors: UNAUTHENTICATED,
// FORBIDDEN.
func authorize(ctx context.Context) (account.Actor, error) {
	actor, err := account.Authorize(ctx)
	if err == nil && actor.Token != nil {
		return account.Authorize(ctx, account.UsersManage)
	}
	return actor, err
}

// authorizeInPerson is authorize for what no token may do.
func authorizeInPerson(ctx context.Context) (account.Actor, error) {
	actor, err := account.Authorize(ctx)
	if err != nil {
		return actor, err
	}
	return actor, account.RefuseToken(actor, "make, change or rotate access tokens")
}

// whose returns the user whose tokens exist for the actor; nil: those of all users.
func whose(actor account.Actor) *uuid.UUID {
	if actor.Permissions.Has(account.UsersManage) {
		return nil
	}
	return &actor.UserID
}

// change runs fn in a transaction. fn receives the actor with the permissions that the transaction reads.
func (s *Service) change(ctx context.Context,
	fn func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error) error {
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		actor, err := account.Reauthorize(ctx, tx)
		if err != nil {
			return err
		}
		if actor, err = authorize(account.WithActor(ctx, actor)); err != nil {
			return err
		}
		return fn(ctx, tx, store.New(tx), actor)
	})
}
