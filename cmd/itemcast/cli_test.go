package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// newDatabase returns a database with a first account, and the variables with which a command finds it.
func newDatabase(t *testing.T) (pool *pgxpool.Pool, environment []string) {
	t.Helper()
	url := dbtest.URL(t)
	pool = nodetest.OpenPool(t, url)
	if _, err := account.Ensure(t.Context(), pool, nodetest.AdminEmail, nodetest.AdminPassword); err != nil {
		t.Fatal(err)
	}
	return pool, []string{"ITEMCAST_DATABASE_URL=" + url}
}

func writeItems(t *testing.T, n int) (file string) {
	t.Helper()
	var lines bytes.Buffer
	for i := range n {
		fmt.Fprintf(&lines, "{\"name\":\"item %d\"}\n", i+1)
	}
	file = filepath.Join(t.TempDir(), "items.ndjson")
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The documents have the server's URLs.
func TestImport_BesideAServerReachesItsSubscribers(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	_, url := nodetest.StartServer(t, environment...)
	n := nodetest.Connect(t, url)
	var page struct {
		Items struct{ ChangeCursor string }
	}
	if err := json.Unmarshal(n.GraphQL(`{ items { changeCursor } }`, nil), &page); err != nil {
		t.Fatal(err)
	}
	events := n.Subscribe(nodetest.FollowQuery, map[string]string{"after": page.Items.ChangeCursor})
	file := writeItems(t, 3)
	if code, out, errs := nodetest.RunProcess(t, environment, "import", file); code != 0 ||
		!strings.Contains(out, "3 lines: 3 created, 0 updated, 0 unchanged, 0 rejected") {
		t.Fatalf("%d\n%s\n%s", code, out, errs)
	}
	var documents []string
	for i := range 3 {
		event := events.ReceiveEvent()
		if event.Kind != "CREATED" || !bytes.Contains(event.Document, fmt.Appendf(nil, `"name":"item %d"`, i+1)) ||
			!bytes.Contains(event.Document, []byte(`"url":"`+url)) {
			t.Errorf("got %s %s", event.Kind, event.Document)
		}
		documents = append(documents, string(event.Document))
	}
	if _, out, _ := nodetest.RunProcess(t, environment, "export"); out != strings.Join(documents, "\n")+"\n" {
		t.Errorf("the export differs from the events:\n%s", out)
	}
	if _, out, _ := nodetest.RunProcess(t, append(environment, "ITEMCAST_PUBLIC_URL=https://other.example/"),
		"export"); !strings.Contains(out, `"url":"https://other.example/api/`) {
		t.Errorf("ITEMCAST_PUBLIC_URL does not win:\n%s", out)
	}
}

func TestImport_ResumesAfterAKill(t *testing.T) {
	t.Parallel()
	const lines = 5000
	pool, environment := newDatabase(t)
	file := writeItems(t, lines)
	killed := nodetest.StartProcess(t, environment, "import", file)
	nodetest.AwaitItems(t, pool, 1)
	killed.Kill()
	before := nodetest.CountItems(t, pool)
	if before == lines {
		t.Skip("the import was done before it could be killed")
	}
	code, out, errs := nodetest.RunProcess(t, environment, "import", file)
	if want := fmt.Sprintf("%d lines: %d created, 0 updated, 0 unchanged, 0 rejected", lines, lines); code != 0 ||
		!strings.Contains(out, "Resumed after line ") || !strings.Contains(out, want) {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	if n := nodetest.CountItems(t, pool); n != lines {
		t.Errorf("%d items, want %d; %d after the kill", n, lines, before)
	}
	var unsequenced int
	if err := pool.QueryRow(t.Context(),
		"SELECT count(*) FROM item_change c WHERE NOT EXISTS (SELECT FROM item_position p WHERE p.change_id = c.id)").
		Scan(&unsequenced); err != nil {
		t.Fatal(err)
	}
	if unsequenced != 0 {
		t.Errorf("%d changes have no position after the import", unsequenced)
	}
}

func TestCommands_HelpNamesTheVariablesAndErrorsExplainMistakes(t *testing.T) {
	t.Parallel()
	for command, mention := range map[string]string{"": "ITEMCAST_DATABASE_URL", "serve": "ITEMCAST_ADDR",
		"migrate": "ITEMCAST_DATA_DIR", "import": "--again", "export": "--search", "listen": "--secret"} {
		code, out, _ := nodetest.RunProcess(t, nil, append(strings.Fields(command), "--help")...)
		if code != 0 || !strings.Contains(out, mention) {
			t.Errorf("itemcast %s --help: %d\n%s", command, code, out)
		}
	}
	for args, mention := range map[string]string{"serve --nonsense": "--nonsense", "fly": "fly", "import": "<file>",
		"import /no/such/file":                "/no/such/file",
		"serve --hook-allow-networks=private": "private", "serve --addr=nowhere:-1": "ITEMCAST_ADDR"} {
		code, _, errs := nodetest.RunProcess(t, []string{"ITEMCAST_DATABASE_URL=postgres://nobody@127.0.0.1:1/none"},
			strings.Fields(args)...)
		if code == 0 || !strings.Contains(errs, mention) {
			t.Errorf("itemcast %s: %d\n%s", args, code, errs)
		}
	}
}

func TestImport_BeforeTheFirstStartAsksToStartTheServer(t *testing.T) {
	t.Parallel()
	code, _, errs := nodetest.RunProcess(t, []string{"ITEMCAST_DATABASE_URL=" + dbtest.URL(t)}, "import", writeItems(t, 1))
	if code == 0 || !strings.Contains(errs, "start the server once") {
		t.Errorf("%d\n%s", code, errs)
	}
}
