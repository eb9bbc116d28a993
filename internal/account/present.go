package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/secret"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

// Origin is who began a work that outlives its request.
type Origin struct {
	Account uuid.UUID
	User    uuid.UUID
	Token   *secret.Digest // of the access token's secret that the user came with; nil: none
}

// OriginOf returns the origin of an actor, whose session may end before the work does.
func OriginOf(a Actor) Origin {
	o := Origin{Account: a.AccountID, User: a.UserID}
	if a.Token != nil {
		digest := secret.Digest(a.Proof.Credentials)
		o.Token = &digest
	}
	return o
}

// Present returns the actor of an origin with the permissions of now. Error: FORBIDDEN when the user, or the access
// token, is gone.
func Present(ctx context.Context, tx db.Querier, o Origin) (Actor, error) {
	if o.Token != nil {
		bearers, err := Bearers(ctx, tx, []secret.Digest{*o.Token})
		if err != nil {
			return Actor{}, err
		}
		bearer, known := bearers[*o.Token]
		if !known || bearer.Refusal != nil {
			return Actor{}, problem.New(problem.Forbidden,
				"The access token that began this has expired or was revoked. Begin again with another.")
		}
		return bearer.Actor, nil
	}
	row, err := store.New(tx).ActorNow(ctx, store.ActorNowParams{AccountID: o.Account, ID: o.User})
	if errors.Is(err, pgx.ErrNoRows) {
		return Actor{}, problem.New(problem.Forbidden,
			"The user who began this is gone or disabled. Sign in, and begin again.")
	}
	if err != nil {
		return Actor{}, fmt.Errorf("read the user of an upload: %w", err)
	}
	return ActorOf(store.UserByEmailRow(row)), nil
}
