package token

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/token/internal/store"
)

var errNotFound = problem.New(problem.NotFound, "There is no such token.")

// notFoundOr returns NOT_FOUND when a statement has found no row, and else its error.
func notFoundOr(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return errNotFound
	}
	return err
}

func get(ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID) (Token, error) {
	row, err := q.GetToken(ctx, store.GetTokenParams{AccountID: actor.AccountID, ID: id, UserID: whose(actor)})
	if err != nil {
		return Token{}, notFoundOr(fmt.Errorf("read token: %w", err))
	}
	return fromRow(row)
}

// lock locks a token until the transaction ends, and returns it with its user. Errors: NOT_FOUND; REVISION_MISMATCH;
// FORBIDDEN when it is another user's, and the actor lacks one of that user's permissions.
func lock(ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID,
	condition revision.Condition) (t Token, owner store.OwnerRow, err error) {
	current, err := q.LockToken(ctx, store.LockTokenParams{AccountID: actor.AccountID, ID: id, UserID: whose(actor)})
	if err != nil {
		return t, owner, notFoundOr(fmt.Errorf("lock token: %w", err))
	}
	if err := condition.Check(current); err != nil {
		return t, owner, err
	}
	if t, err = get(ctx, q, actor, id); err != nil {
		return t, owner, err
	}
	owner, err = readOwner(ctx, q, actor, t.UserID)
	return t, owner, err
}

// readOwner returns the user of a token. Errors: RULE_VIOLATED when the account has no such user; FORBIDDEN when it is
// another user, and the actor lacks one of that user's permissions.
func readOwner(ctx context.Context, q *store.Queries, actor account.Actor, user uuid.UUID) (store.OwnerRow, error) {
	row, err := q.Owner(ctx, store.OwnerParams{AccountID: actor.AccountID, ID: user})
	if errors.Is(err, pgx.ErrNoRows) {
		return row, problem.Invalid(problem.RuleViolated,
			problem.Fault{Pointer: "#/user_id", Detail: "is no user of this account"})
	}
	if err != nil {
		return row, fmt.Errorf("read the token's user: %w", err)
	}
	if user == actor.UserID {
		return row, nil
	}
	return row, actor.RequireAll(row.Permissions)
}

func fromRow(row store.GetTokenRow) (Token, error) {
	t := Token{ID: row.ID, UserID: row.UserID, User: row.UserEmail,
		Settings: Settings{Name: row.Name, Permissions: row.Permissions, Origins: row.Origins,
			RequestsPerMinute: row.RequestsPerMinute, ExpiresAt: utc(row.ExpiresAt)},
		LastUsedFrom: optional.OrZero(row.LastAddress), RequestsLastDay: row.RequestsLastDay, CreatedBy: row.CreatedBy,
		CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(), Revision: row.Revision}
	if row.PreviousUntil != nil && row.PreviousUntil.After(time.Now()) {
		t.OldSecretUntil = utc(row.PreviousUntil)
	}
	if row.LastHour != nil {
		t.LastUsedOn = row.LastHour.UTC().Format(time.DateOnly)
	}
	var err error
	t.Filter, err = item.ParseFilter(row.Filter)
	return t, err
}

func utc(t *time.Time) *time.Time { return optional.Map(t, time.Time.UTC) }
