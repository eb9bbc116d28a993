package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// ErrNewerSchema is returned for a database that a newer release of the program has migrated. Nothing was changed.
var ErrNewerSchema = errors.New("the database belongs to a newer version of itemcast")

// Migrate applies the migrations (goose's SQL files, at the root of migrations) that the database has not had, each in a transaction.
// Nodes that start together take turns, by an advisory lock that Postgres releases should its holder die. It returns
// [ErrNewerSchema] for a database with migrations that this program does not know.
func Migrate(ctx context.Context, pool *pgxpool.Pool, migrations fs.FS) error {
	// Look for the lock every second, for up to ten minutes: somebody else's migration may take its time.
	turns, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return fmt.Errorf("prepare the migration lock: %w", err)
	}
	conn := stdlib.OpenDBFromPool(pool)
	defer func() { _ = conn.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, conn, migrations,
		goose.WithSessionLocker(turns), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the database's schema version: %w", err)
	}
	known := int64(0)
	for _, source := range provider.ListSources() {
		known = max(known, source.Version)
	}
	if current > known {
		return fmt.Errorf("%w: its schema has version %d, and this program knows versions up to %d: run the newer program, or restore "+
			"a backup from before the upgrade", ErrNewerSchema, current, known)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}
