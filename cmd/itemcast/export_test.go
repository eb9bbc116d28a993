package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"itemcast/internal/node/nodetest"
)

func exportedNames(t *testing.T, documents string) string {
	t.Helper()
	var names []string
	for line := range strings.Lines(documents) {
		var item struct{ Name string }
		if err := json.Unmarshal([]byte(line), &item); err != nil {
			t.Fatal(err)
		}
		names = append(names, item.Name)
	}
	return strings.Join(names, " ")
}

// A filter exports the same items as over REST, in the same order.
func TestExport_TakesTheFiltersOfTheList(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	n := nodetest.StartOn(t, pool)
	file := writeLines(t,
		`{"name":"a","tags":["x","with, comma"],"type":"audio","metadata":{"year":1927,"title":"k=v; w"}}`,
		`{"name":"b","tags":["y"],"privacy":"public","description":"needle","metadata":{"year":1927}}`,
		`{"name":"c","tags":["z"],"privacy":"unlisted","type":"live","metadata":{"title":"t"}}`)
	code, out, errs := nodetest.RunProcess(t, environment, "import", file)
	wantExit(t, code, out, errs, 0, "3 created")
	if _, err := pool.Exec(t.Context(),
		`WITH made AS (
			INSERT INTO workflow_profile (id, account_id, name) SELECT gen_random_uuid(), id, 'p' FROM account RETURNING id)
		UPDATE item SET created_at = '2026-01-01T00:00:00Z'::timestamptz + (ascii(name) - 97) * interval '1 day',
			updated_at = '2026-03-01T00:00:00Z'::timestamptz - ascii(name) * interval '1 day', document_version = 0,
			workflow_status = CASE name WHEN 'a' THEN 'waiting' WHEN 'b' THEN 'done' END,
			workflow_profile_id = CASE WHEN name <> 'c' THEN made.id END FROM made`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags, query, want string
	}{
		{flags: "", query: "sort=created_at", want: "a b c"},
		{flags: "--tags=x,y", query: "tags=x,y", want: "a b"},
		{flags: "--tags=x --tags=z", query: "tags=x,z", want: "a c"},
		{flags: `--tags=with\,·comma`, query: "tags=with%2C%20comma", want: "a"},
		{flags: `--tags=y,with\,·comma`, query: "tags=y,with%2C%20comma", want: "a b"},
		{flags: `--tags=with\,·comma --tags=z`, query: "tags=with%2C%20comma&tags=z", want: "a c"},
		{flags: `--tags=with,·comma`, query: "tags=with,%20comma", want: ""},
		{flags: "--type=audio,live", query: "type=audio,live", want: "a c"},
		{flags: "--privacy=public,unlisted", query: "privacy=public,unlisted", want: "b c"},
		{flags: "--workflow-status=done", query: "workflow_status=done", want: "b"},
		{flags: "--created-after=2026-01-01T00:00:00Z", query: "created_after=2026-01-01T00:00:00Z", want: "b c"},
		{flags: "--created-before=2026-01-03T00:00:00Z", query: "created_before=2026-01-03T00:00:00Z", want: "a b"},
		{flags: "--updated-after=2025-11-23T00:00:00Z", query: "updated_after=2025-11-23T00:00:00Z", want: "a"},
		{flags: "--metadata=year=1927", query: "metadata.year=1927", want: "a b"},
		{flags: "--metadata year=1927 --metadata title=k=v;·w", query: "metadata.year=1927&metadata.title=" + url.QueryEscape("k=v; w"), want: "a"},
		{flags: "--search=needle", query: "search=needle", want: "b"},
		{flags: "--sort=-name", query: "sort=-name", want: "c b a"},
		{flags: "--sort=updated_at --privacy=private,public", query: "sort=updated_at&privacy=private,public", want: "b a"},
	} {
		flags := strings.Fields(c.flags)
		for i := range flags {
			flags[i] = strings.ReplaceAll(flags[i], "·", " ")
		}
		code, out, errs := nodetest.RunProcess(t, environment, append([]string{"export"}, flags...)...)
		if got := exportedNames(t, out); code != 0 || got != c.want {
			t.Errorf("export %s: %d, got %s, want %s\n%s", c.flags, code, got, c.want, errs)
		}
		if !strings.Contains(c.query, "sort=") {
			c.query += "&sort=created_at"
		}
		var page struct{ Results []json.RawMessage }
		if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/items?"+c.query, "").
			WantStatus(t, http.StatusOK).Body, &page); err != nil {
			t.Fatal(err)
		}
		var listed strings.Builder
		for _, document := range page.Results {
			listed.Write(append(document, '\n'))
		}
		if got := exportedNames(t, listed.String()); got != c.want {
			t.Errorf("GET %s: got %s, want %s", c.query, got, c.want)
		}
	}
	for flag, want := range map[string]string{"--metadata=none=1": "metadata.none must be a metadata field of this account: itemcast export --with-fields shows them",
		"--type=film":               `--type must be one of "video"`,
		"--sort=size":               "--sort must be one of",
		"--created-after=yesterday": `--created-after: "yesterday" is not a time in the years 1 to 9999; write it as`} {
		code, out, errs := nodetest.RunProcess(t, environment, "export", flag)
		wantExit(t, code, out, errs, 1, want)
	}
}

func TestExport_ToAFileIsAllOrNothing(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	code, out, errs := nodetest.RunProcess(t, environment, "import", writeItems(t, 3))
	wantExit(t, code, out, errs, 0)
	folder := t.TempDir()
	file, link := filepath.Join(folder, "backup.ndjson"), filepath.Join(folder, "latest")
	if err := os.WriteFile(file, []byte("of yesterday"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	holds := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(file); err != nil || !strings.Contains(string(got), want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
		if there, err := filepath.Glob(folder + "/*"); err != nil || len(there) != 2 {
			t.Errorf("the folder has %q", there)
		}
	}
	code, out, errs = nodetest.RunProcess(t, environment, "export", "--metadata=none=1", file)
	wantExit(t, code, out, errs, 1)
	holds("of yesterday")
	code, out, errs = nodetest.RunProcess(t, environment, "export", link)
	wantExit(t, code, out, errs, 0, "exported 3 items")
	holds(`"name":"item 3"`)
	code, out, errs = nodetest.RunProcess(t, environment, "export", filepath.Join(folder, "none", "x"))
	wantExit(t, code, out, errs, 1, "cannot write "+filepath.Join(folder, "none", "x")+": no such file")
}

// Without a server, the command must still stop its own Postgres.
func TestExport_ReportsAReaderThatClosesThePipe(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	code, out, errs := nodetest.RunProcess(t, environment, "import", writeItems(t, 3))
	wantExit(t, code, out, errs, 0)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	var stderr strings.Builder
	cmd := nodetest.Command(t, environment, "export")
	cmd.Stdout, cmd.Stderr = writer, &stderr
	err = cmd.Run()
	writer.Close()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); err == nil || !ok || status.Signaled() {
		t.Errorf("it ended with %v", err)
	}
	if !strings.Contains(stderr.String(), "the reader closed the pipe before the export was complete") {
		t.Errorf("it says %q", stderr.String())
	}
}
