package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/secret"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

// The errors of a request with an access token.
var (
	ErrToken = problem.New(problem.Unauthenticated,
		"The access token is mistyped, revoked or replaced, or its user is disabled. Ask its creator for a new one.")
	ErrTokenExpired = problem.New(problem.Unauthenticated,
		"The access token has expired. Ask its creator for a new one.")

	errTokenChanged = problem.New(problem.Unavailable,
		"The access token has changed during the request. Send the request again.")
)

// Bearer is the actor of an access token's secret.
type Bearer struct {
	Actor   Actor
	Refusal error // ErrToken when the user is disabled; ErrTokenExpired; nil
}

// Bearers reads the actors of access tokens by the digests of their secrets, in one statement. It leaves out unknown
// secrets. It is for package signin.
func Bearers(ctx context.Context, tx db.Querier, secrets []secret.Digest) (map[secret.Digest]Bearer, error) {
	digests := make([][]byte, len(secrets))
	for i := range secrets {
		digests[i] = secrets[i][:]
	}
	rows, err := store.New(tx).BearersByDigest(ctx, digests)
	if err != nil {
		return nil, fmt.Errorf("read access tokens: %w", err)
	}
	bearers := make(map[secret.Digest]Bearer, len(rows))
	for i := range rows {
		row := &rows[i]
		bearers[secret.Digest(row.Digest)] = bearerOf(row, secret.Digest(row.Digest), nil)
		if row.PreviousDigest != nil && time.Now().Before(*row.PreviousUntil) {
			bearers[secret.Digest(row.PreviousDigest)] = bearerOf(row, secret.Digest(row.PreviousDigest), row.PreviousUntil)
		}
	}
	return bearers, nil
}

func bearerOf(row *store.BearersByDigestRow, of secret.Digest, until *time.Time) Bearer {
	b := Bearer{Actor: actorOfToken(row, of, until)}
	switch {
	case !row.Active:
		b.Refusal = ErrToken
	case b.Actor.Proof.HasExpired(time.Now()):
		b.Refusal = ErrTokenExpired
	}
	return b
}

// actorOfToken returns a token's user, with the permissions that both have. The secret is valid until a time; nil: for
// as long as the token is.
func actorOfToken(row *store.BearersByDigestRow, of secret.Digest, until *time.Time) Actor {
	actor := ActorOf(store.UserByEmailRow{ID: row.ID, AccountID: row.AccountID, Email: row.Email, Name: row.Name,
		Kind: row.Kind, Active: row.Active, RoleID: row.RoleID, Role: row.Role, Permissions: row.Permissions,
		DefaultWorkflowProfileID: row.DefaultWorkflowProfileID, AccountDefaultProfileID: row.AccountDefaultProfileID})
	actor.Permissions = slices.DeleteFunc(actor.Permissions, func(p Permission) bool {
		return p != APIAccess && !slices.Contains(row.TokenPermissions, string(p))
	})
	actor.Token = &Token{ID: row.TokenID, Name: row.TokenName, Filter: row.Filter, Origins: row.Origins,
		PerMinute: int(row.RequestsPerMinute)}
	actor.Proof = Proof{Credentials: of}
	if row.ExpiresAt != nil {
		actor.Token.ExpiresAt, actor.Proof.ExpiresAt = *row.ExpiresAt, *row.ExpiresAt
	}
	if until != nil && (row.ExpiresAt == nil || until.Before(*row.ExpiresAt)) {
		actor.Proof.ExpiresAt = *until
	}
	return actor
}

// reauthorizeToken is Reauthorize for an access token. A write that began under another filter must not go on.
func reauthorizeToken(ctx context.Context, tx db.Querier, actor Actor, need []Permission) (Actor, error) {
	bearers, err := Bearers(ctx, tx, []secret.Digest{actor.Proof.Credentials})
	if err != nil {
		return Actor{}, err
	}
	now, known := bearers[actor.Proof.Credentials]
	switch {
	case !known:
		return Actor{}, ErrToken
	case now.Refusal != nil:
		return Actor{}, now.Refusal
	case now.Actor.Token.Filter != actor.Token.Filter:
		return Actor{}, errTokenChanged
	}
	return Authorize(WithActor(ctx, now.Actor), need...)
}
