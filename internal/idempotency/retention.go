package idempotency

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/idempotency/internal/store"
)

const (
	retention     = 24 * time.Hour
	pruneInterval = time.Hour
)

// RunRetention deletes the keys that are older than a day, at once and then every hour, until ctx ends. It may run on
// any number of nodes.
func RunRetention(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) error {
	tick := time.NewTicker(pruneInterval)
	defer tick.Stop()
	for {
		_, err := store.New(pool).DeleteExpiredIdempotencyKeys(ctx, time.Now().Add(-retention))
		if err != nil && ctx.Err() == nil {
			log.Warn("cannot delete expired idempotency keys; retrying in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
