package sql_test

import (
	"testing"

	"itemcast/internal/db/dbtest"
)

// sharedTables lists the tables without an account, with the reason.
var sharedTables = map[string]string{
	"account":           "it is the list of accounts",
	"goose_db_version":  "the schema's version",
	"instance":          "settings of the installation",
	"media_key":         "one key signs the links of all accounts",
	"media_storage":     "the files of all accounts are in one storage",
	"item_position":     "the log is sequenced for all accounts; item_change has the account",
	"feed_head":         "as item_position",
	"feed":              "as item_position",
	"consumer_position": "a durable consumer follows the log of all accounts",

	"river_job":          "the queue of jobs belongs to River, and serves all accounts; a job names its account",
	"river_leader":       "as river_job",
	"river_migration":    "as river_job",
	"river_notification": "as river_job",
	"river_queue":        "as river_job",
}

func TestTables_RowsBelongToAnAccount(t *testing.T) {
	t.Parallel()
	rows, err := dbtest.New(t).Query(t.Context(), `SELECT c.relname, EXISTS (
			SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'account_id' AND a.attnotnull
				AND a.atttypid = 'uuid'::regtype)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var table string
		var hasAccount bool
		if err := rows.Scan(&table, &hasAccount); err != nil {
			t.Fatal(err)
		}
		found[table] = true
		if _, shared := sharedTables[table]; hasAccount == shared {
			t.Errorf("%s: it has a column account_id uuid NOT NULL: %v; it is listed as shared: %v", table, hasAccount, shared)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for table := range sharedTables {
		if !found[table] {
			t.Errorf("%s is listed as shared and does not exist", table)
		}
	}
}
