package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
)

// started is a database that a server has been started on once, and the variables with which a command finds it.
func started(t *testing.T) (pool *pgxpool.Pool, environment []string) {
	t.Helper()
	url := dbtest.URL(t)
	pool = openPool(t, url)
	if _, err := account.Ensure(t.Context(), pool, adminEmail, adminPassword); err != nil {
		t.Fatal(err)
	}
	return pool, []string{"ITEMCAST_DATABASE_URL=" + url}
}

func numbered(t *testing.T, n int) (file string) {
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

func countItems(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM item").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

var passwordTold = regexp.MustCompile(`Password\s+(\S+)`)

// The life of a server on its embedded Postgres: told once how to sign in, one owner of the data, killed, started again, stopped.
func TestServe_KeepsItsDataThroughKillsAndStopsWithoutATrace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	environment := []string{"ITEMCAST_DATA_DIR=" + dir}
	first, url := serve(t, environment...)
	first.says("shown this once")
	told := passwordTold.FindStringSubmatch(first.out.String())
	if told == nil {
		t.Fatalf("no password is told:\n%s", first.out)
	}
	made := fetch(t, http.MethodPost, url+"/api/v1/items", told[1], `{"name":"kept"}`).expect(t, http.StatusCreated)

	code, _, errs := runProcess(t, append(environment, "ITEMCAST_ADDR=127.0.0.1:0", "ITEMCAST_OPS_ADDR="), "serve")
	if code == 0 || !strings.Contains(errs, "another itemcast uses "+dir) || !strings.Contains(errs, "ITEMCAST_DATA_DIR") {
		t.Errorf("a second server on the same data: %d\n%s", code, errs)
	}
	if code, out, errs := runProcess(t, environment, "export"); code != 0 || out != string(made.body)+"\n" {
		t.Errorf("export beside the server: %d\n got %s\nwant %s\n%s", code, out, made.body, errs)
	}

	first.kill()
	again, moved := serve(t, environment...)
	if strings.Contains(again.out.String(), "shown this once") || strings.Contains(again.out.String(), told[1]) {
		t.Errorf("the password is told again:\n%s", again.out)
	}
	got := fetch(t, http.MethodGet, moved+"/api/v1/items/"+made.field(t, "id"), told[1], "").expect(t, http.StatusOK)
	if want := strings.Replace(string(made.body), url, moved, 1); string(got.body) != want {
		t.Errorf("after a kill\n got %s\nwant %s", got.body, want)
	}
	again.signal(syscall.SIGTERM)
	if code := again.wait(); code != 0 {
		t.Errorf("after SIGTERM: %d\n%s", code, again.err)
	}
	if left := processesOf(t, dir); len(left) > 0 {
		t.Errorf("there are processes left: %q", left)
	}
}

// What a command beside the server writes, the server's subscribers are told, with the server's URLs.
func TestImport_BesideAServerIsSeenByItsSubscribers(t *testing.T) {
	t.Parallel()
	_, environment := started(t)
	_, url := serve(t, environment...)
	n := connect(t, url)
	var page struct {
		Items struct{ ChangeCursor string }
	}
	if err := json.Unmarshal(n.graphql(`{ items { changeCursor } }`, nil), &page); err != nil {
		t.Fatal(err)
	}
	events := n.subscribe(follow, map[string]string{"after": page.Items.ChangeCursor})
	file := numbered(t, 3)
	if code, out, errs := runProcess(t, environment, "import", file); code != 0 || !strings.Contains(out, "3 lines: 3 created, 0 updated, 0 unchanged, 0 rejected") {
		t.Fatalf("%d\n%s\n%s", code, out, errs)
	}
	var documents []string
	for i := range 3 {
		told := events.event()
		if told.Kind != "CREATED" || !bytes.Contains(told.Document, fmt.Appendf(nil, `"name":"item %d"`, i+1)) || !bytes.Contains(told.Document, []byte(`"url":"`+url)) {
			t.Errorf("got %s %s", told.Kind, told.Document)
		}
		documents = append(documents, string(told.Document))
	}
	if _, out, _ := runProcess(t, environment, "export"); out != strings.Join(documents, "\n")+"\n" {
		t.Errorf("the export differs from what was told:\n%s", out)
	}
	if _, out, _ := runProcess(t, append(environment, "ITEMCAST_PUBLIC_URL=https://other.example/"), "export"); !strings.Contains(out, `"url":"https://other.example/api/`) {
		t.Errorf("the variable does not win:\n%s", out)
	}
}

func TestImport_KilledGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	const lines = 5000
	pool, environment := started(t)
	file := numbered(t, lines)
	killed := start(t, environment, "import", file)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for countItems(t, pool) == 0 {
		<-tick.C
	}
	killed.kill()
	before := countItems(t, pool)
	if before == lines {
		t.Skip("the import was done before it could be killed")
	}
	code, out, errs := runProcess(t, environment, "import", file)
	if want := fmt.Sprintf("%d lines: %d created, 0 updated, 0 unchanged, 0 rejected", lines, lines); code != 0 || !strings.Contains(out, "Went on after line ") || !strings.Contains(out, want) {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	if n := countItems(t, pool); n != lines {
		t.Errorf("there are %d items, want %d; %d were there after the kill", n, lines, before)
	}
	var unsequenced int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM item_change c WHERE NOT EXISTS (SELECT FROM item_position p WHERE p.change_id = c.id)").Scan(&unsequenced); err != nil {
		t.Fatal(err)
	}
	if unsequenced != 0 {
		t.Errorf("%d changes have no position after the import", unsequenced)
	}
}

func TestImport_ByRESTGoesOnByItsKeyAndTellsOfRejectedLines(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	body := `{"name":"one"}` + "\n" + `{"name":""}` + "\n" + `{"name":"three"`
	send := func(key string) answer {
		return n.call(http.MethodPost, "/api/v1/items/import", body, "Content-Type", "application/x-ndjson", "Idempotency-Key", key).expect(t, http.StatusOK)
	}
	var first, second struct {
		Lines, Created, Rejected int
		ResumedAfterLine         int `json:"resumed_after_line"`
		Errors                   []struct {
			Line   int
			Errors []struct{ Pointer string }
		}
	}
	if err := json.Unmarshal(send("a key").body, &first); err != nil {
		t.Fatal(err)
	}
	if first.Lines != 3 || first.Created != 1 || first.Rejected != 2 || len(first.Errors) != 2 || first.Errors[0].Line != 2 || first.Errors[0].Errors[0].Pointer != "#/name" {
		t.Errorf("got %+v", first)
	}
	if err := json.Unmarshal(send("a key").body, &second); err != nil {
		t.Fatal(err)
	}
	if second.ResumedAfterLine != 3 || second.Created != 1 || countItems(t, n.pool) != 1 {
		t.Errorf("got %+v", second)
	}
}

func TestCommands_HelpNamesTheVariablesAndMistakesAreExplained(t *testing.T) {
	t.Parallel()
	for command, mention := range map[string]string{"": "ITEMCAST_DATABASE_URL", "serve": "ITEMCAST_ADDR", "migrate": "ITEMCAST_DATA_DIR", "import": "--again", "export": "--search",
		"listen": "ITEMCAST_LISTEN_SECRET"} {
		code, out, _ := runProcess(t, nil, append(strings.Fields(command), "--help")...)
		if code != 0 || !strings.Contains(out, mention) {
			t.Errorf("itemcast %s --help: %d\n%s", command, code, out)
		}
		for _, flag := range regexp.MustCompile(`(?m)^ .*(--[a-z-]+)`).FindAllStringSubmatch(out, -1) {
			name := strings.TrimPrefix(flag[1], "--")
			variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			if name != "help" && !strings.Contains(out, "$ITEMCAST_"+variable) && !strings.Contains(out, "$ITEMCAST_"+strings.ToUpper(command)+"_"+variable) {
				t.Errorf("itemcast %s --help does not tell of %s", command, variable)
			}
		}
	}
	for args, mention := range map[string]string{"serve --nonsense": "--nonsense", "fly": "fly", "import": "<file>", "import /no/such/file": "/no/such/file",
		"serve --hook-allow-networks=private": "private", "serve --addr=nowhere:-1": "ITEMCAST_ADDR"} {
		code, _, errs := runProcess(t, []string{"ITEMCAST_DATABASE_URL=postgres://nobody@127.0.0.1:1/none"}, strings.Fields(args)...)
		if code == 0 || !strings.Contains(errs, mention) {
			t.Errorf("itemcast %s: %d\n%s", args, code, errs)
		}
	}
}

func TestImport_BeforeAServerWasEverStartedSaysSo(t *testing.T) {
	t.Parallel()
	code, _, errs := runProcess(t, []string{"ITEMCAST_DATABASE_URL=" + dbtest.URL(t)}, "import", numbered(t, 1))
	if code == 0 || !strings.Contains(errs, "start the server once before") {
		t.Errorf("%d\n%s", code, errs)
	}
}
