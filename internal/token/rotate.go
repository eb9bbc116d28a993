package token

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/account/secret"
	"itemcast/internal/token/internal/store"
)

// oldSecretLifetime is how long the previous secret works beside the new one.
const oldSecretLifetime = 24 * time.Hour

// Rotate gives a token a new secret and returns it. The previous secret works until a day later, unless it is revoked:
// then it is invalid at once, and until is nil. Errors: NOT_FOUND; FORBIDDEN for an actor who came with a token, and
// when it is another user's, and the actor lacks one of that user's permissions.
func (s *Service) Rotate(ctx context.Context, id uuid.UUID, revoke bool) (shown string, until *time.Time, err error) {
	if _, err := authorizeInPerson(ctx); err != nil {
		return "", nil, err
	}
	shown, digest := secret.New()
	lifetime := oldSecretLifetime
	if revoke {
		lifetime = 0
	}
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		if _, _, err := lock(ctx, q, actor, id, nil); err != nil {
			return err
		}
		rotated, err := q.RotateToken(ctx, store.RotateTokenParams{AccountID: actor.AccountID, ID: id,
			Digest: digest[:], KeepFor: lifetime.Seconds()})
		if err != nil {
			return fmt.Errorf("rotate token: %w", err)
		}
		until = utc(rotated)
		return audit(ctx, tx, tokenRotated, id, map[string]any{"revoked": revoke})
	})
	if err != nil {
		return "", nil, err
	}
	return shown, until, nil
}
