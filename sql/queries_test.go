package sql_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// query is a statement of sql/queries.
type query struct{ file, name, reason, text string }

// String says where the query is.
func (q query) String() string { return q.file + ": " + q.name }

var queryName = regexp.MustCompile(`^-- name: (\w+) :\w+`)

// queries reads sql/queries without comments, except for the reason in a line that begins with -- system:.
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
			if m := queryName.FindStringSubmatch(line); m != nil {
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

var (
	// A statement belongs to an account if it filters by the parameter, or writes it.
	filtersByAccount = regexp.MustCompile(`\baccount_id\s*=\s*@account_id\b`)
	insertsAccount   = regexp.MustCompile(`(?s)^\s*INSERT INTO \w+\s*\([^)]*\baccount_id\b[^)]*\).*@account_id\b`)

	statement    = regexp.MustCompile(`(?s)^[\s(]*(INSERT INTO|UPDATE|DELETE|SELECT|WITH)\b`)
	usesTables   = regexp.MustCompile(`(?i)\b(FROM|INTO|UPDATE|JOIN)\s+\w`)
	selectsItems = regexp.MustCompile(`(?is)^[\s(]*(WITH\b|SELECT\b).*\b(FROM|JOIN)\s+(item|item_change)\b`)
)

func takesAccount(text string) bool {
	return filtersByAccount.MatchString(text) || insertsAccount.MatchString(text)
}

func TestQueries_TakeTheAccount(t *testing.T) {
	t.Parallel()
	all := queries(t)
	for _, q := range all {
		switch {
		case !statement.MatchString(q.text):
			t.Errorf("%s: this test does not know statements like %s", q, q.text)
		case q.reason != "" && len(q.reason) < 10:
			t.Errorf("%s: %q is not a reason", q, q.reason)
		case q.reason != "" || takesAccount(q.text) || !usesTables.MatchString(q.text):
		case q.name == "InsertAccount":
		default:
			t.Errorf("%s neither filters by @account_id nor writes it: add the filter, or a line -- system: with the reason", q)
		}
	}
	if len(all) < 50 {
		t.Errorf("only %d queries were found", len(all))
	}
}

// A statement that reads items calls hidden_profiles, so that its result has no item that a workflow profile hides from
// the reader's role.
func TestQueries_OmitHiddenItems(t *testing.T) {
	t.Parallel()
	checked := 0
	exempt := map[string]bool{}
	for _, q := range queries(t) {
		if !selectsItems.MatchString(q.text) || q.reason != "" {
			continue
		}
		if readsHiddenItems[q.name] != "" {
			exempt[q.name] = true
			continue
		}
		if checked++; !strings.Contains(q.text, "hidden_profiles(@account_id") {
			t.Errorf("%s reads items without regard to hidden_profiles", q)
		}
	}
	if checked < 8 {
		t.Errorf("only %d such queries were found", checked)
	}
	for name := range readsHiddenItems {
		if !exempt[name] {
			t.Errorf("%s is listed as an exception and does not read items", name)
		}
	}
}

// readsHiddenItems lists the queries that read items whatever the reader's role, with the reason.
var readsHiddenItems = map[string]string{
	"GetItem":             "the caller has found the item by a query with the filter, or renders every item again",
	"LastRevision":        "the item does not exist any more",
	"MediaFields":         "the caller has locked the item by a query with the filter",
	"PublishFiles":        "it returns no item: files take the profile of their item, which the caller has locked",
	"WorkflowProfileUses": "it counts",

	// A page token has the digest of a long name. Only the client that had the name from a list has the digest.
	"NameKey":      "the caller compares the name with a digest that its client has",
	"FormerValues": "the caller compares each value with a digest that its client has",

	// A user who manages the account's hooks sees which items they were sent, and when, but not the documents.
	"PendingDeliveries":     "deliveries of the account's hooks",
	"EndedDeliveries":       "deliveries of the account's hooks",
	"FailedDeliveries":      "deliveries of the account's hooks",
	"EndedDeliveriesOfItem": "deliveries of the account's hooks",
	"PendingDelivery":       "a delivery of the account's hooks",
	"AttemptsOf":            "a delivery of the account's hooks",

	"TaskDeliveries": "ids and states only; the caller has found the run by a query with the filter",
}

// The tests above are worth as much as their patterns.
func TestQueries_PatternsFindAMissingAccount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"SELECT 1 FROM item WHERE id = @id":                                           false,
		"SELECT 1 FROM item WHERE account_id = @account_id AND id = @id":              true,
		"SELECT 1 FROM item s WHERE s.account_id = @account_id":                       true,
		"INSERT INTO item (id, account_id) VALUES (@id, @account_id)":                 true,
		"INSERT INTO item (id, account_id) SELECT @id, CAST(@account_id AS uuid)":     true,
		"INSERT INTO item (id) VALUES (@id)":                                          false,
		"UPDATE item SET account_id = gen_random_uuid() WHERE account_id <> @account": false,
	} {
		if got := takesAccount(text); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
	complete := func(q query) bool { return q.name == "ListDocuments" && strings.Contains(q.text, "LIMIT") }
	if !slices.ContainsFunc(queries(t), complete) {
		t.Error("ListDocuments was not read to its end")
	}
}
