package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

const backupURL = "https://items.example.com" // so that the original and its copies have the same documents

// embeddedServer starts a server on an embedded Postgres, and stops it when the test ends.
func embeddedServer(t *testing.T, dataDir string) (server *nodetest.Process, n *nodetest.Client) {
	t.Helper()
	server, url := nodetest.StartServer(t, "ITEMCAST_DATA_DIR="+dataDir, "ITEMCAST_PUBLIC_URL="+backupURL,
		"ITEMCAST_ADMIN_PASSWORD="+nodetest.AdminPassword)
	return server, nodetest.Connect(t, url)
}

func TestBackup_RestoresEverythingIntoAnEmptyFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	original, file := filepath.Join(folder, "original"), filepath.Join(folder, "itemcast.dump")
	_, n := embeddedServer(t, original)
	start := n.Changes("").Cursor
	id := n.Call(http.MethodPost, "/api/v1/items", `{"name":"Metropolis","tags":["silent"],"client_data":{"b":1,"a":2}}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.Call(http.MethodPatch, "/api/v1/items/"+id, `{"tags":["silent","scifi"]}`).WantStatus(t, http.StatusOK)
	hook := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"https://receiver.example.com/"}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.Call(http.MethodPost, "/api/v1/users", fmt.Sprintf(`{"email":"ada@example.com","role_id":%q,"password":"a bicycle of rain"}`,
		n.RoleID("Editor"))).WantStatus(t, http.StatusCreated)
	cursor := n.AwaitChanges(start, 2).Cursor
	paths := []string{"/api/v1/items", "/api/v1/items/" + id + "/history", "/api/v1/hooks", "/api/v1/users", "/api/v1/roles"}
	before := bodies(t, n, paths)

	code, out, errs := nodetest.RunProcess(t, []string{"ITEMCAST_DATA_DIR=" + original}, "backup", file)
	wantExit(t, code, out, errs, 0, "backed up")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is for others too: %v, %v", info.Mode(), err)
	}
	n.Call(http.MethodPatch, "/api/v1/items/"+id, `{"tags":[]}`).WantStatus(t, http.StatusOK) // after the backup

	copied := filepath.Join(folder, "copy")
	code, out, errs = nodetest.RunProcess(t, []string{"ITEMCAST_DATA_DIR=" + copied}, "restore", file)
	wantExit(t, code, out, errs, 0, "Restored", "Active hooks send")
	server, c := embeddedServer(t, copied)
	for path, body := range bodies(t, c, paths) {
		if want := before[path]; body != want {
			t.Errorf("%s\n got %s\nwant %s", path, body, want)
		}
	}
	c.As("ada@example.com", "a bicycle of rain").Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
	c.Call(http.MethodGet, "/api/v1/changes?after="+cursor, "").WantStatus(t, http.StatusGone)
	page := c.Changes("")
	c.Call(http.MethodPatch, "/api/v1/items/"+id, `{"name":"Other"}`).WantStatus(t, http.StatusOK)
	if next := c.AwaitChanges(page.Cursor, 1); next.Results[0].Revision != 3 {
		t.Errorf("the copy continues with %+v", next.Results)
	}
	server.Signal(syscall.SIGTERM)
	server.Wait()
	code, out, errs = nodetest.RunProcess(t, []string{"ITEMCAST_DATA_DIR=" + copied}, "restore", file)
	wantExit(t, code, out, errs, 1, "there is data in "+copied, "ITEMCAST_DATA_DIR")

	paused := filepath.Join(folder, "paused")
	code, out, errs = nodetest.RunProcess(t, []string{"ITEMCAST_DATA_DIR=" + paused}, "restore", "--pause-hooks", file)
	wantExit(t, code, out, errs, 0, "Restored", "All hooks are inactive")
	_, p := embeddedServer(t, paused)
	got := p.Call(http.MethodGet, "/api/v1/hooks/"+hook, "").WantStatus(t, http.StatusOK)
	if !bytes.Contains(got.Body, []byte(`"active":false`)) ||
		!strings.Contains(got.Field(t, "disabled_reason"), "itemcast restore") {
		t.Errorf("the hook is %s", got.Body)
	}
}

var ofCursor = regexp.MustCompile(`"cursor":"[^"]*"`)

// bodies reads the bodies at some paths, without cursors: a restored log has others.
func bodies(t *testing.T, n *nodetest.Client, paths []string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, path := range paths {
		body := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK).Body
		all[path] = ofCursor.ReplaceAllString(string(body), "")
	}
	return all
}

// A new cluster counts transactions from the start: a gap of a rollback must not wait for an xid of the old one.
func TestRestore_IntoAnotherPostgresForgetsItsTransactions(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "itemcast.dump")
	pool, environment := newDatabase(t)
	n := nodetest.StartOn(t, pool)
	start := n.Changes("").Cursor
	if _, err := pool.Exec(t.Context(), "SELECT nextval('item_change_id')"); err != nil { // as a rollback does
		t.Fatal(err)
	}
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).WantStatus(t, http.StatusCreated)
	cursor := n.AwaitChanges(start, 1).Cursor
	if _, err := pool.Exec(t.Context(), `INSERT INTO feed_head
		SELECT step + 1000000, position, scanned_to, ARRAY[scanned_to - 1], ARRAY[9e17::bigint] FROM feed_head
		ORDER BY step DESC LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	code, out, errs := nodetest.RunProcess(t, environment, "backup", file)
	wantExit(t, code, out, errs, 0, "backed up")

	target := emptyDatabase(t)
	code, out, errs = nodetest.RunProcess(t, []string{"ITEMCAST_DATABASE_URL=" + target}, "restore", "--keep-cursors", file)
	wantExit(t, code, out, errs, 0, "Restored")
	restored := nodetest.OpenPool(t, target)
	c := nodetest.StartOn(t, restored)
	c.Call(http.MethodPost, "/api/v1/items", `{"name":"b"}`).WantStatus(t, http.StatusCreated)
	if page := c.AwaitChanges(cursor, 1); len(page.Results) != 1 {
		t.Errorf("the old cursor continues with %+v", page.Results)
	}
	nodetest.Eventually(t, "the gap is dropped", func() bool {
		var gaps []int64
		err := restored.QueryRow(t.Context(), "SELECT gaps FROM feed_head ORDER BY step DESC LIMIT 1").Scan(&gaps)
		return err == nil && len(gaps) == 0
	})
	code, out, errs = nodetest.RunProcess(t, []string{"ITEMCAST_DATABASE_URL=" + target}, "restore", file)
	wantExit(t, code, out, errs, 1, "ITEMCAST_DATABASE_URL", "has data")
}

// emptyDatabase returns the URL of a database without a schema.
func emptyDatabase(t *testing.T) (url string) {
	t.Helper()
	url = dbtest.URL(t)
	if _, err := nodetest.OpenPool(t, url).Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	return url
}

func TestRestore_OfADamagedBackupLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file, other := filepath.Join(folder, "itemcast.dump"), filepath.Join(folder, "items.ndjson")
	_, environment := newDatabase(t)
	code, out, errs := nodetest.RunProcess(t, environment, "backup", file)
	wantExit(t, code, out, errs, 0, "backed up")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	target := []string{"ITEMCAST_DATABASE_URL=" + emptyDatabase(t)}
	for _, length := range []int{len(whole) / 8, len(whole) / 2, len(whole) - 100} {
		if err := os.WriteFile(file, whole[:length], 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs = nodetest.RunProcess(t, target, "restore", file)
		wantExit(t, code, out, errs, 1, "nothing was restored: pg_restore: ")
		code, out, errs = nodetest.RunProcess(t, target, "user", "list")
		wantExit(t, code, out, errs, 1, "is empty: start the server once")
	}
	if err := os.WriteFile(other, []byte(`{"name":"a"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, nil, []string{"restore", other}, []string{other + " is no backup"})
	wantRefusal(t, nil, []string{"restore", folder + "/none"}, []string{folder + "/none", "itemcast backup"})
	wantRefusal(t, nil, []string{"backup", "-"}, []string{"there is no data in"})
	wantRefusal(t, nil, []string{"backup", folder + "/none/x"}, []string{folder + "/none/x", "folder must exist"})
}
