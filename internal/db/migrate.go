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

var (
	// ErrNewerSchema means that a newer release of the program has migrated the database.
	ErrNewerSchema = errors.New("the database belongs to a newer version of itemcast")

	// ErrOlderSchema means that the database is older than the program's first migration.
	ErrOlderSchema = errors.New("the database is too old for this version of itemcast")
)

// Migrate applies the migrations (goose's SQL files, at the root of migrations) that the database lacks, each in a
// transaction. Nodes that start together take turns through an advisory lock, which Postgres releases when its holder
// dies.
//
// It returns [ErrNewerSchema] for a database with migrations that this program does not know, and [ErrOlderSchema] for
// one whose version is lower than the first migration. Both leave the database unchanged.
func Migrate(ctx context.Context, pool *pgxpool.Pool, migrations fs.FS) error {
	// Try the lock every second for up to ten minutes: another node's migration may take long.
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
	if err := checkSchema(current, provider.ListSources()); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// checkSchema compares the database's version (0: an empty database) with the sorted versions of the migrations.
func checkSchema(current int64, sources []*goose.Source) error {
	first, last := sources[0].Version, sources[len(sources)-1].Version
	switch {
	case current > last:
		return fmt.Errorf("%w: its schema has version %d, this program knows versions up to %d. Run the newer "+
			"program, or restore a backup from before the upgrade", ErrNewerSchema, current, last)
	case current > 0 && current < first:
		return fmt.Errorf("%w: its schema has version %d, this program starts at version %d. Export the items with the "+
			"build that made the database, then import them here into an empty one", ErrOlderSchema, current, first)
	default:
		return nil
	}
}
