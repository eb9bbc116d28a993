package sql_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/db/dbtest"
)

// shared are the tables whose rows belong to no account, and why.
var shared = map[string]string{
	"account":           "is the accounts",
	"goose_db_version":  "the schema's version",
	"instance":          "of the installation",
	"item_position":     "the log is sequenced for all accounts; item_change has the account",
	"feed_head":         "as item_position",
	"feed":              "as item_position",
	"consumer_position": "a durable consumer follows the log of all accounts",
}

func TestTables_RowsBelongToAnAccount(t *testing.T) {
	t.Parallel()
	rows, err := dbtest.New(t).Query(t.Context(), `SELECT c.relname, EXISTS (
			SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'account_id' AND a.attnotnull AND a.atttypid = 'uuid'::regtype)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := map[string]bool{}
	for rows.Next() {
		var table string
		var owned bool
		if err := rows.Scan(&table, &owned); err != nil {
			t.Fatal(err)
		}
		seen[table] = true
		if _, exempt := shared[table]; owned == exempt {
			t.Errorf("%s: account_id uuid NOT NULL is %v, and it is listed as shared: %v", table, owned, exempt)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for table := range shared {
		if !seen[table] {
			t.Errorf("%s is listed as shared, and there is no such table", table)
		}
	}
}

type query struct{ file, name, reason, text string }

var named = regexp.MustCompile(`^-- name: (\w+) :\w+`)

// queries reads sql/queries; comments before a name belong to the query that they introduce, or to the one before: neither has SQL.
func queries(t *testing.T) (all []query) {
	t.Helper()
	files, err := filepath.Glob("queries/*/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var q *query
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimRight(line, "\n")
			if m := named.FindStringSubmatch(line); m != nil {
				all = append(all, query{file: file, name: m[1]})
				q = &all[len(all)-1]
				continue
			}
			if reason, ok := strings.CutPrefix(line, "-- system:"); ok && q != nil && q.text == "" {
				q.reason = strings.TrimSpace(reason)
				continue
			}
			if code, _, _ := strings.Cut(line, "--"); q != nil && strings.TrimSpace(code) != "" {
				q.text += code + "\n"
			}
		}
	}
	return all
}

// How a statement is bound to an account: it filters by the parameter, or writes it.
var (
	filters = regexp.MustCompile(`\baccount_id\s*=\s*@account_id\b`)
	inserts = regexp.MustCompile(`(?s)^\s*INSERT INTO \w+\s*\([^)]*\baccount_id\b[^)]*\).*@account_id\b`)
	lists   = regexp.MustCompile(`(?s)^\s*(INSERT INTO|UPDATE|DELETE|SELECT|WITH)\b`)
)

func TestQueries_TakeTheAccount(t *testing.T) {
	t.Parallel()
	all := queries(t)
	for _, q := range all {
		switch bound := filters.MatchString(q.text) || inserts.MatchString(q.text); {
		case !lists.MatchString(q.text):
			t.Errorf("%s %s is of a kind that this test does not know: %s", q.file, q.name, q.text)
		case q.reason != "" && len(q.reason) < 10:
			t.Errorf("%s %s: %q is no reason", q.file, q.name, q.reason)
		case q.reason != "" || bound || !touchesTables(q):
		case q.name == "InsertAccount":
		default:
			t.Errorf("%s %s neither filters by nor writes @account_id; if it must not, say why in a line that begins with -- system:", q.file, q.name)
		}
	}
	if len(all) < 50 {
		t.Errorf("only %d queries were found", len(all))
	}
}

func touchesTables(q query) bool {
	return regexp.MustCompile(`(?i)\b(FROM|INTO|UPDATE|JOIN)\s+\w`).MatchString(q.text)
}

// What a workflow profile hides from a role is in no statement's answer: each that reads items asks hidden_profiles, or says why not.
func TestQueries_ThatReadItemsLeaveOutWhatIsHidden(t *testing.T) {
	t.Parallel()
	reads := regexp.MustCompile(`(?is)^\s*(WITH\b|SELECT\b).*\b(FROM|JOIN)\s+(item|item_change)\b`)
	n := 0
	for _, q := range queries(t) {
		if !reads.MatchString(q.text) || q.reason != "" || unlimited[q.name] != "" {
			continue
		}
		if n++; !strings.Contains(q.text, "hidden_profiles(@account_id") {
			t.Errorf("%s %s reads items that may be hidden", q.file, q.name)
		}
	}
	if n < 8 {
		t.Errorf("only %d such queries were found", n)
	}
}

// unlimited are the queries that read items whoever asks, and why.
var unlimited = map[string]string{
	"GetItem":              "of an item that was found by a query that is limited, or of every one, to render it anew",
	"LastRevision":         "of an id that nobody has",
	"WorkflowProfileInUse": "tells only whether there is any",

	// Hooks are the account's, and are sent all of it: whoever manages them is told which items and when, not what those are like.
	"PendingDeliveries":     "of the account's hooks",
	"EndedDeliveries":       "of the account's hooks",
	"FailedDeliveries":      "of the account's hooks",
	"EndedDeliveriesOfItem": "of the account's hooks",
	"PendingDelivery":       "of the account's hooks",
	"AttemptsOf":            "of the account's hooks",
}

// The test above is only worth what its reading of the files is.
func TestQueries_TheTestFindsAMissingAccount(t *testing.T) {
	t.Parallel()
	for text, bound := range map[string]bool{
		"SELECT 1 FROM item WHERE id = @id":                                           false,
		"SELECT 1 FROM item WHERE account_id = @account_id AND id = @id":              true,
		"SELECT 1 FROM item s WHERE s.account_id = @account_id":                       true,
		"INSERT INTO item (id, account_id) VALUES (@id, @account_id)":                 true,
		"INSERT INTO item (id, account_id) SELECT @id, CAST(@account_id AS uuid)":     true,
		"INSERT INTO item (id) VALUES (@id)":                                          false,
		"UPDATE item SET account_id = gen_random_uuid() WHERE account_id <> @account": false,
	} {
		if got := filters.MatchString(text) || inserts.MatchString(text); got != bound {
			t.Errorf("%s: got %v", text, got)
		}
	}
	if !slices.ContainsFunc(queries(t), func(q query) bool { return q.name == "ListDocuments" && strings.Contains(q.text, "LIMIT") }) {
		t.Error("ListDocuments was not read to its end")
	}
}
