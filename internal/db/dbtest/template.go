package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
)

const (
	templatePrefix = "itemcast_template_"
	unusedKept     = 4      // templates, so that switching between checkouts and branches is fast
	templateLock   = 730152 // an advisory lock; the number is arbitrary
)

// ensureTemplate creates the template database from these migrations unless it exists, and drops stale databases.
func (s *server) ensureTemplate(ctx context.Context, migrations fs.FS) error {
	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to the test database server: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return fmt.Errorf("wait for other test processes: %w", err)
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", templateLock) }()

	if err := s.dropStale(ctx); err != nil {
		return fmt.Errorf("drop stale test databases: %w", err)
	}
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", s.template).Scan(&exists)
	if err == nil && !exists {
		err = s.createTemplate(ctx, conn, migrations)
	}
	if err != nil {
		return fmt.Errorf("create the template database: %w", err)
	}
	return nil
}

// createTemplate migrates a database under another name, and renames it when it is complete.
func (s *server) createTemplate(ctx context.Context, conn *pgxpool.Conn, migrations fs.FS) error {
	unfinished := s.template + "_unfinished"
	if err := s.drop(ctx, unfinished); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+unfinished+" TEMPLATE template0"); err != nil {
		return err
	}
	pool, err := db.Open(ctx, s.urlOf(unfinished))
	if err != nil {
		return err
	}
	err = db.Migrate(ctx, pool, migrations, db.MigrateOptions{})
	pool.Close()
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "ALTER DATABASE "+unfinished+" RENAME TO "+s.template); err != nil {
		return err
	}
	// Postgres does not copy a database that has connections.
	_, err = conn.Exec(ctx, "ALTER DATABASE "+s.template+" ALLOW_CONNECTIONS false")
	return err
}

// dropStale drops the test databases of processes that have ended, and old templates. It never drops what a living
// process uses.
func (s *server) dropStale(ctx context.Context) error {
	rows, err := s.admin.Query(ctx, `
		SELECT datname FROM pg_database
		WHERE datname ~ '^itemcast_test_[a-z0-9]+_[0-9]+$'
		  AND regexp_replace(datname, '_[0-9]+$', '') NOT IN (
		      SELECT split_part(application_name, ' ', 1) FROM pg_stat_activity)
		UNION ALL
		(SELECT datname FROM pg_database
		 WHERE starts_with(datname, $1)
		   AND datname NOT IN (SELECT split_part(application_name, ' ', 2) FROM pg_stat_activity)
		 ORDER BY oid DESC OFFSET $2)`, templatePrefix, unusedKept)
	if err != nil {
		return err
	}
	var stale []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		stale = append(stale, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range stale {
		if err := s.drop(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// contentHash returns a short digest of the names and contents of all files.
func contentHash(files fs.FS) (string, error) {
	digest := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		fmt.Fprintf(digest, "%s %d\n%s", path, len(content), content)
		return err
	})
	fmt.Fprintf(digest, "job queue %d", db.QueueSchema)
	return hex.EncodeToString(digest.Sum(nil)[:8]), err
}
