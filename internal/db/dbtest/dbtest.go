package dbtest

import (
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/postgres"
)

// timeout limits each wait of this package. On an idle machine no wait takes longer than a second.
const timeout = time.Minute

// New returns a pool on a new database with the current schema. When the test ends, New closes the pool and drops the
// database. The test fails if it has not released every connection by then.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := db.Open(t.Context(), URL(t))
	if err != nil {
		t.Fatalf("open the test database: %v", err)
	}
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() {
			pool.Close()
			close(closed)
		}()
		select {
		case <-closed:
		case <-time.After(timeout):
			t.Errorf("the test has not released %d of its pool's connections", pool.Stat().AcquiredConns())
		}
	})
	return pool
}

// URL returns the URL of a new database with the current schema, which is dropped when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	server, err := join()
	if err != nil {
		t.Fatalf("join the test database server: %v", err)
	}
	name, err := server.create(t.Context())
	if err != nil {
		t.Fatalf("create a test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := server.drop(ctx, name); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return server.urlOf(name)
}

// Cluster returns a Postgres that only this test uses, and may kill. It has no schema, and no fsync unless settings
// enable it. It stops when the test ends.
func Cluster(t testing.TB, settings map[string]string) *postgres.Server {
	t.Helper()
	all := maps.Clone(unsafeSettings)
	maps.Copy(all, settings)
	server, err := postgres.Start(t.Context(), postgres.Config{
		DataDir:  filepath.Join(t.TempDir(), "postgres"),
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
		Settings: all,
		// The test may kill it any number of times.
		StableAfter: time.Nanosecond,
	})
	if err != nil {
		t.Fatalf("start a Postgres for the test: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Errorf("stop the test's Postgres: %v", err)
		}
	})
	return server
}

// unsafeSettings trade durability for speed: a crash of the machine may lose the data.
var unsafeSettings = map[string]string{
	"fsync":              "off",
	"full_page_writes":   "off",
	"synchronous_commit": "off",
	"wal_compression":    "off",
	"autovacuum":         "off", // a database lives for seconds
	"max_connections":    "400",
}
