package dbtest

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/sql"
)

// Earlier returns a pool on a new database as an earlier version left it: with the migrations up to the one whose file
// begins with last. With "" it has none. Migrate applies the others.
func Earlier(t testing.TB, last string) *pgxpool.Pool {
	t.Helper()
	pool := New(t)
	if _, err := pool.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatalf("empty the test database: %v", err)
	}
	if last == "" {
		return pool
	}
	names, err := fs.Glob(sql.Migrations, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	earlier := fstest.MapFS{}
	for _, name := range names {
		content, err := fs.ReadFile(sql.Migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		if name[:len(last)] <= last {
			earlier[name] = &fstest.MapFile{Data: content}
		}
	}
	migrate(t, pool, earlier)
	return pool
}

// Migrate applies all migrations that the database lacks.
func Migrate(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	migrate(t, pool, sql.Migrations)
}

func migrate(t testing.TB, pool *pgxpool.Pool, migrations fs.FS) {
	t.Helper()
	if err := db.Migrate(t.Context(), pool, migrations, db.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	pool.Reset() // the connections have prepared statements on the old tables
}
