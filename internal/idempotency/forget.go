package idempotency

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/idempotency/internal/store"
)

const (
	keepFor     = 24 * time.Hour
	forgetEvery = time.Hour
)

// RunForget forgets keys after a day, at start and once an hour, until ctx ends.
func RunForget(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) error {
	every := time.NewTicker(forgetEvery)
	defer every.Stop()
	for {
		if _, err := store.New(pool).DeleteExpiredIdempotencyKeys(ctx, time.Now().Add(-keepFor)); err != nil && ctx.Err() == nil {
			log.Warn("cannot forget idempotency keys; trying again later", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}
