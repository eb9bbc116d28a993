package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

var (
	// ErrNewerSchema means that a newer release of the program has migrated the database.
	ErrNewerSchema = errors.New("the database belongs to a newer version of itemcast")

	// ErrOlderSchema means that the database is older than the program's first migration.
	ErrOlderSchema = errors.New("the database is too old for this version of itemcast")
)

// MigrateOptions are the options of Migrate.
type MigrateOptions struct {
	Log   *slog.Logger // has a line for each migration that was applied; nil: none
	First func() error // called before anything is created in an empty database; its error ends Migrate. nil: none
}

// Migrate applies the migrations (goose's SQL files, at the root of migrations) that the database lacks, each in a
// transaction. Nodes that start together take turns through an advisory lock, which Postgres releases when its holder
// dies.
//
// It returns [ErrNewerSchema] for a database with migrations that this program does not know, and [ErrOlderSchema] for
// one whose version is lower than the first migration. Both leave the database unchanged.
func Migrate(ctx context.Context, pool *pgxpool.Pool, migrations fs.FS, options MigrateOptions) error {
	if options.First != nil {
		empty, err := IsEmpty(ctx, pool)
		if err != nil {
			return err
		}
		if empty {
			if err := options.First(); err != nil {
				return err
			}
		}
	}
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
	applied, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	if options.Log != nil {
		for _, step := range applied {
			options.Log.Info("migrated the database", "step", path.Base(step.Source.Path), "took", step.Duration)
		}
	}
	return migrateQueue(ctx, pool, conn, turns, options.Log)
}

// QueueSchema is the version of the schema of River, the queue of jobs. Raise it with a new release of River whose
// documentation asks for it.
const QueueSchema = 8

// migrateQueue applies the migrations of River that the database lacks, under the lock of the other migrations.
func migrateQueue(
	ctx context.Context, pool *pgxpool.Pool, sqlDB *sql.DB, turns lock.SessionLocker, log *slog.Logger,
) (err error) {
	conn, err := sqlDB.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect for the migration of the job queue: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := turns.SessionLock(ctx, conn); err != nil {
		return fmt.Errorf("take the migration lock: %w", err)
	}
	defer func() {
		if unlockErr := turns.SessionUnlock(context.WithoutCancel(ctx), conn); unlockErr != nil && err == nil {
			err = fmt.Errorf("release the migration lock: %w", unlockErr)
		}
	}()
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read the migrations of the job queue: %w", err)
	}
	result, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: QueueSchema})
	if err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	if log != nil && len(result.Versions) > 0 {
		log.Info("migrated the job queue", "version", QueueSchema)
	}
	return nil
}

// IsEmpty reports whether no migration has been applied to the database.
func IsEmpty(ctx context.Context, pool *pgxpool.Pool) (bool, error) {
	var exists, applied bool
	err := pool.QueryRow(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&exists)
	if err == nil && exists {
		const query = "SELECT EXISTS (SELECT FROM goose_db_version WHERE version_id > 0)"
		err = pool.QueryRow(ctx, query).Scan(&applied)
	}
	if err != nil {
		return false, fmt.Errorf("look for the database's schema: %w", err)
	}
	return !applied, nil
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
