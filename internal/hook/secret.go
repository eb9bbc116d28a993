package hook

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/standardwebhooks"
)

// OldSecretLifetime returns how long the previous secret signs beside the new one: a day, or not at all if it is
// revoked.
func OldSecretLifetime(revoked bool) time.Duration {
	if revoked {
		return 0
	}
	return 24 * time.Hour
}

// RotateSecret gives a hook a new secret and returns it. Requests are also signed with the old secret until a day
// later, unless it is revoked: then it is invalid at once, and until is nil. Error: NOT_FOUND.
func (s *Service) RotateSecret(
	ctx context.Context, id uuid.UUID, revoke bool,
) (secret string, until *time.Time, err error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return "", nil, err
	}
	secret = standardwebhooks.NewSecret().Text()
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		rotated, err := store.New(tx).RotateSecret(ctx, store.RotateSecretParams{
			AccountID: actor.AccountID, ID: id, Secret: secret, KeepFor: OldSecretLifetime(revoke).Seconds(),
		})
		if err != nil {
			return notFoundOr(fmt.Errorf("rotate secret: %w", err))
		}
		if !revoke {
			until = utc(rotated)
		}
		return audit(ctx, tx, secretRotated, id, map[string]any{"revoked": revoke})
	})
	if err != nil {
		return "", nil, err
	}
	return secret, until, nil
}
