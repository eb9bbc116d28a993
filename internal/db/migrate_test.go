package db_test

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
)

// openEmpty opens pools on one empty schema.
func openEmpty(t *testing.T, pools int) []*pgxpool.Pool {
	t.Helper()
	u, err := url.Parse(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	parameters := u.Query()
	parameters.Set("search_path", "empty")
	u.RawQuery = parameters.Encode()
	var opened []*pgxpool.Pool
	for range pools {
		pool, err := db.Open(t.Context(), u.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		opened = append(opened, pool)
	}
	if _, err := opened[0].Exec(t.Context(), "CREATE SCHEMA empty"); err != nil {
		t.Fatal(err)
	}
	return opened
}

func migration(up string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("-- +goose Up\n" + up + ";\n")}
}

func TestMigrate_AppliesWhatIsMissing(t *testing.T) {
	t.Parallel()
	pool := openEmpty(t, 1)[0]
	migrations := fstest.MapFS{"00001_first.sql": migration("CREATE TABLE first ()")}
	if err := db.Migrate(t.Context(), pool, migrations, db.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	migrations["00002_second.sql"] = migration("CREATE TABLE second ()")
	for range 2 { // the second time there is nothing to do
		if err := db.Migrate(t.Context(), pool, migrations, db.MigrateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pool.Exec(t.Context(), "SELECT FROM first, second"); err != nil {
		t.Fatal(err)
	}
}

func TestMigrate_SeveralNodesMayStartTogether(t *testing.T) {
	t.Parallel()
	migrations := fstest.MapFS{"00001_first.sql": migration("CREATE TABLE first ()")}
	var nodes errgroup.Group
	for _, pool := range openEmpty(t, 4) {
		nodes.Go(func() error { return db.Migrate(t.Context(), pool, migrations, db.MigrateOptions{}) })
	}
	if err := nodes.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestMigrate_RefusesASchemaFromANewerProgram(t *testing.T) {
	t.Parallel()
	pool := openEmpty(t, 1)[0]
	older := fstest.MapFS{"00001_first.sql": migration("CREATE TABLE first ()")}
	newer := fstest.MapFS{
		"00001_first.sql": older["00001_first.sql"],
		"00007_later.sql": migration("CREATE TABLE later ()"),
	}
	if err := db.Migrate(t.Context(), pool, newer, db.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	err := db.Migrate(t.Context(), pool, older, db.MigrateOptions{})
	if !errors.Is(err, db.ErrNewerSchema) || !strings.Contains(err.Error(), "version 7") {
		t.Fatalf("got %v", err)
	}
}

// The squashed migrations of 0.1.0 start at 100; databases of earlier builds have versions up to 13.
func TestMigrate_RefusesASchemaFromBeforeTheFirstMigration(t *testing.T) {
	t.Parallel()
	pool := openEmpty(t, 1)[0]
	before := fstest.MapFS{
		"00001_first.sql": migration("CREATE TABLE first ()"),
		"00013_last.sql":  migration("CREATE TABLE last ()"),
	}
	squashed := fstest.MapFS{
		"00100_first.sql": migration("CREATE TABLE first ()"),
		"00101_next.sql":  migration("CREATE TABLE next ()"),
	}
	if err := db.Migrate(t.Context(), pool, before, db.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	content := func() (content string) {
		t.Helper()
		err := pool.QueryRow(t.Context(), `SELECT concat((SELECT json_agg(v ORDER BY v.id) FROM goose_db_version v),
			(SELECT json_agg(c ORDER BY c.oid) FROM pg_class c WHERE c.relnamespace = 'empty'::regnamespace))`).Scan(&content)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	unchanged := content()
	err := db.Migrate(t.Context(), pool, squashed, db.MigrateOptions{})
	if !errors.Is(err, db.ErrOlderSchema) || !strings.Contains(err.Error(), "version 13") ||
		!strings.Contains(err.Error(), "Export the items") || !strings.Contains(err.Error(), "import") {
		t.Errorf("got %v", err)
	}
	if got := content(); got != unchanged {
		t.Errorf("the database was\n%s\nand is\n%s", unchanged, got)
	}
}

func TestMigrate_AFailedMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	pool := openEmpty(t, 1)[0]
	migrations := fstest.MapFS{"00001_first.sql": migration("CREATE TABLE first ();\nSELECT nonsense")}
	if err := db.Migrate(t.Context(), pool, migrations, db.MigrateOptions{}); err == nil {
		t.Fatal("a failing migration passed")
	}
	var tables int
	err := pool.QueryRow(t.Context(),
		"SELECT count(*) FROM pg_tables WHERE schemaname = 'empty' AND tablename = 'first'").Scan(&tables)
	if err != nil || tables != 0 {
		t.Fatalf("tables left: %d, %v", tables, err)
	}
}

func TestMigrate_LogsEachStepWithItsName(t *testing.T) {
	t.Parallel()
	pool := openEmpty(t, 1)[0]
	migrations := fstest.MapFS{"00001_first.sql": migration("CREATE TABLE first ()"),
		"00002_second.sql": migration("CREATE TABLE second ()")}
	var log strings.Builder
	options := db.MigrateOptions{Log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 2 { // the second time there is nothing to do
		if err := db.Migrate(t.Context(), pool, migrations, options); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(log.String(), "step=00001_first.sql ") != 1 || strings.Count(log.String(), "step=") != 2 ||
		strings.Count(log.String(), "the job queue") != 1 || strings.Count(log.String(), "\n") != 3 {
		t.Errorf("logged:\n%s", log.String())
	}
}

func TestMigrate_AsksBeforeItCreatesAnything(t *testing.T) {
	t.Parallel()
	pool := openEmpty(t, 1)[0]
	migrations := fstest.MapFS{"00001_first.sql": migration("CREATE TABLE first ()")}
	refused := errors.New("refused")
	asked := 0
	first := func(answer error) db.MigrateOptions {
		return db.MigrateOptions{First: func() error { asked++; return answer }}
	}
	if err := db.Migrate(t.Context(), pool, migrations, first(refused)); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	var tables int
	const query = "SELECT count(*) FROM pg_class WHERE relnamespace = 'empty'::regnamespace"
	if err := pool.QueryRow(t.Context(), query).Scan(&tables); err != nil || tables != 0 {
		t.Errorf("%d tables and indexes were created (%v)", tables, err)
	}
	for range 2 { // the second time the database is not empty
		if err := db.Migrate(t.Context(), pool, migrations, first(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}
