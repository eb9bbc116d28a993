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

	url      string
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
	// First is called when there is no data yet, before anything is created. Its error ends OpenDatabase. nil: without
	// data, OpenDatabase creates nothing and returns an error that says what to do.
	First func() error
	Log   *slog.Logger
}

// OpenDatabase connects to a database and migrates it. It starts the embedded Postgres if necessary.
func OpenDatabase(ctx context.Context, config DatabaseConfig) (*Database, error) {
	d, err := connect(ctx, config)
	if err != nil {
		return nil, err
	}
	err = db.Migrate(ctx, d.Pool, sql.Migrations, db.MigrateOptions{Log: config.Log, First: config.first})
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// connect connects to a database without changing it, and starts the embedded Postgres if necessary.
func connect(ctx context.Context, config DatabaseConfig) (*Database, error) {
	d := &Database{url: config.URL, log: config.Log}
	if config.URL != "" {
		pool, err := db.Open(ctx, config.URL)
		if err != nil {
			return nil, explainDatabase(config.URL, err)
		}
		d.Pool = pool
		return d, nil
	}
	var err error
	if d.url, err = d.embedded(ctx, config); err != nil {
		return nil, err
	}
	if d.Pool, err = db.Open(ctx, d.url); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// embedded returns the URL of the embedded Postgres, which it starts unless another process runs it and may share it.
func (d *Database) embedded(ctx context.Context, config DatabaseConfig) (url string, err error) {
	dir := filepath.Join(config.DataDir, "postgres")
	if config.Shared {
		if url, running := postgres.Running(dir); running {
			return url, nil
		}
	}
	exists, err := postgres.Exists(dir)
	if err == nil && !exists {
		err = config.first()
	}
	if err != nil {
		return "", err
	}
	d.postgres, err = postgres.Start(ctx, postgres.Config{DataDir: dir, Logger: config.Log})
	if errors.Is(err, postgres.ErrInUse) {
		return "", fmt.Errorf("another itemcast uses %s: stop it, or set ITEMCAST_DATA_DIR (%w)", config.DataDir, err)
	}
	if err != nil {
		return "", fmt.Errorf("start the embedded Postgres: %w", err)
	}
	return d.postgres.URL(), nil
}

// first decides whether to create a database where there is none.
func (c *DatabaseConfig) first() error {
	if c.First != nil {
		return c.First()
	}
	if c.URL != "" {
		return errors.New("the database of " + databaseSetting + " is empty: start the server once (itemcast serve), or " +
			"name the database of a server")
	}
	return fmt.Errorf("there is no data in %s: start the server once (itemcast serve), or name the data of a server with "+
		"--data-dir (ITEMCAST_DATA_DIR) or --database-url (ITEMCAST_DATABASE_URL)", c.DataDir)
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
