package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/postgres"
	"itemcast/sql"
)

const postgresStopTimeout = 20 * time.Second

// Database is a migrated database. Close it last.
type Database struct {
	Pool *pgxpool.Pool

	postgres *postgres.Server // nil: another process runs it
	log      *slog.Logger
}

// DatabaseConfig says which database to open.
type DatabaseConfig struct {
	URL     string // empty: an embedded Postgres under DataDir
	DataDir string
	// Shared allows the use of an embedded Postgres that another process runs. A command sets it. A server does not: it
	// must own its data directory.
	Shared bool
	Log    *slog.Logger
}

// OpenDatabase connects to a database and migrates it. It starts the embedded Postgres if necessary.
func OpenDatabase(ctx context.Context, config DatabaseConfig) (*Database, error) {
	d := &Database{log: config.Log}
	url, dir := config.URL, filepath.Join(config.DataDir, "postgres")
	if url == "" && config.Shared {
		url, _ = postgres.Running(dir)
	}
	if url == "" {
		server, err := postgres.Start(ctx, postgres.Config{DataDir: dir, Logger: config.Log})
		if errors.Is(err, postgres.ErrInUse) {
			return nil, fmt.Errorf("another itemcast uses %s: stop it, or set ITEMCAST_DATA_DIR (%w)", config.DataDir, err)
		}
		if err != nil {
			return nil, fmt.Errorf("start the embedded Postgres: %w", err)
		}
		d.postgres, url = server, server.URL()
	}
	pool, err := db.Open(ctx, url)
	if err == nil {
		d.Pool = pool
		err = db.Migrate(ctx, pool, sql.Migrations)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Close disconnects, and stops the embedded Postgres if this process runs it.
func (d *Database) Close() {
	if d.Pool != nil {
		d.Pool.Close()
	}
	if d.postgres == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), postgresStopTimeout)
	defer cancel()
	if err := d.postgres.Stop(ctx); err != nil {
		d.log.Error("cannot stop the embedded Postgres", "error", err)
	}
}

// watch returns an error when the embedded Postgres has stopped and cannot be restarted, and nil when ctx ends. It
// returns nil at once if this process does not run Postgres.
func (d *Database) watch(ctx context.Context) error {
	if d.postgres == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-d.postgres.Done():
		return fmt.Errorf("run the embedded Postgres: %w", d.postgres.Err())
	}
}
