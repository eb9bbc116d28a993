package db

import (
	"context"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5/pgxpool"
)

// QueueOptions are the options of [OpenQueue].
type QueueOptions struct {
	// MaxConns is the pool's maximum number of connections.
	MaxConns int32

	// AsyncCommit makes commits return before they are on disk. If Postgres crashes, the last commits are lost, each as
	// a whole and in order.
	AsyncCommit bool
}

// queueSettings are the session settings of a queue's connections.
var queueSettings = map[string]string{
	// Plan each statement once, for look-ups by index. A queue or log is empty one minute and long the next: its
	// statistics are useless, a plan made for the empty table would stay, and planning every statement anew took as
	// long as the statements themselves.
	"plan_cache_mode":  "force_generic_plan",
	"enable_seqscan":   "off",
	"enable_hashjoin":  "off",
	"enable_mergejoin": "off",
	"jit":              "off", // without it, the high cost of a table without an index would trigger compilation

	// The transactions hold locks that every node wants, so the server must notice a vanished node within seconds.
	"idle_in_transaction_session_timeout": "10s",
	"tcp_keepalives_idle":                 "3",
	"tcp_keepalives_interval":             "2",
	"tcp_keepalives_count":                "3",
}

// OpenQueue opens another pool on the same database, for statements on tables that are queues or logs. It connects only
// when the pool is used. The caller closes the pool.
func OpenQueue(ctx context.Context, pool *pgxpool.Pool, options QueueOptions) (*pgxpool.Pool, error) {
	config := pool.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = options.MaxConns, 0, 0
	maps.Copy(config.ConnConfig.RuntimeParams, queueSettings)
	if options.AsyncCommit {
		config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	}
	queue, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open a connection pool: %w", err)
	}
	return queue, nil
}
