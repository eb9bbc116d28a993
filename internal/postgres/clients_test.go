package postgres

import (
	"io"
	"strings"
	"testing"
)

func TestConninfo_IsWhatLibpqReadsWithoutThePassword(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://ada:secret@db:5433/items?sslmode=disable&pool_max_conns=9&search_path=x": "postgres://ada@db:5433/items?sslmode=disable",
		"postgres:///items?host=/run/postgresql&password=secret":                             "postgres:///items?host=%2Frun%2Fpostgresql",
		"host=db user=ada password='se cret' dbname=items pool_max_conns=9":                  "host=db user=ada dbname=items",
	} {
		if got := conninfo(url); got != want {
			t.Errorf("%s\n got %s\nwant %s", url, got, want)
		}
	}
}

func TestFindClients_NamesWhatToInstall(t *testing.T) {
	t.Parallel()
	server := start(t, newDataDir(t))
	_, err := findClients(t.Context(), server.URL(), "pg_missing")
	if err == nil || !strings.Contains(err.Error(), "pg_missing of Postgres ") ||
		!strings.Contains(err.Error(), "postgresql-client-") {
		t.Errorf("got %v", err)
	}
}

// The script of a dump that is not Itemcast's runs to its end, and then lacks the tables of the last statements.
func TestRestore_RollsBackWhenTheLastStatementFails(t *testing.T) {
	t.Parallel()
	from, to := start(t, newDataDir(t)), start(t, newDataDir(t))
	mustQuery(t, from.URL(), "CREATE TABLE copied AS SELECT 'yes' AS answer")
	dump, in := io.Pipe()
	go func() { in.CloseWithError(Dump(t.Context(), from.URL(), in)) }()
	err := Restore(t.Context(), to.URL(), dump, "UPDATE missing SET a = 1;")
	if err == nil || !strings.Contains(err.Error(), `relation "missing" does not exist`) {
		t.Errorf("got %v", err)
	}
	if left := mustQuery(t, to.URL(), "SELECT coalesce(to_regclass('copied')::text, 'nothing')"); left != "nothing" {
		t.Errorf("left: %s", left)
	}
}
