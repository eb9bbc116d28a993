package sql_test

import (
	"io/fs"
	"testing"

	"itemcast/sql"
)

// A database of a build before 0.1.0 has versions 1 to 13: db.Migrate refuses it only if none of these exists here.
func TestMigrations_StartAfterTheVersionsOfUnreleasedBuilds(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(sql.Migrations, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	if names[0] != "00100_account.sql" {
		t.Errorf("the first migration is %s", names[0])
	}
}
