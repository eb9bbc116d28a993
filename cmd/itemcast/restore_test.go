package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// notRestored are the members of documents that a restored item does not share with its original: the user does not
// exist here, and the revision follows that of the backup.
var notRestored = regexp.MustCompile(`"created_by":("[^"]*"|null),|,"revision":\d+`)

func unzipped(t *testing.T, file string) string {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	zipped, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zipped)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestImport_RestoresABackupOfItemsAndTheirFields(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	n := nodetest.StartOn(t, pool)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"color","kind":"choice","choices":["red","green"],
		"label":"Farbe","description":"of the cover"}`).WantStatus(t, http.StatusCreated)
	gone := n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"gone","kind":"number"}`).WantStatus(t, http.StatusCreated)
	code, out, errs := nodetest.RunProcess(t, environment, "import", writeLines(t,
		`{"name":"a","privacy":"public","tags":["x"],"metadata":{"Release Date":"1927-01-10","gone":1,"color":"red"}}`,
		`{"name":"b","description":"<&>","client_data":{"z":1.0,"a":null},"assets":[{"kind":"source","url":"https://a.example/1","content_type":"video/mp4"}]}`,
		`{"name":"c","privacy":"unlisted","metadata":{"color":"green"}}`))
	wantExit(t, code, out, errs, 0, "3 created")
	item := "/api/v1/items/" + n.CreateItem(`{"name":"d"}`)
	n.Call(http.MethodPatch, item, `{"privacy":"public"}`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodDelete, "/api/v1/metadata-fields/"+gone.Field(t, "id"), "").WantStatus(t, http.StatusNoContent)
	color := n.Call(http.MethodGet, "/api/v1/metadata-fields", "")
	id := regexp.MustCompile(`"id":"([^"]*)","key":"color"`).FindStringSubmatch(string(color.Body))
	if id == nil {
		t.Fatalf("got %s", color.Body)
	}
	// What the items have need no longer be what their fields accept.
	n.Call(http.MethodPatch, "/api/v1/metadata-fields/"+id[1], `{"choices":["red"],"required":true}`).WantStatus(t, http.StatusOK)

	backup := filepath.Join(t.TempDir(), "backup.ndjson.gz")
	code, out, errs = nodetest.RunProcess(t, environment, "export", "--with-fields", backup)
	wantExit(t, code, out, errs, 0, "exported 4 items")
	_, empty := newDatabase(t)
	code, out, errs = nodetest.RunProcess(t, empty, "import", "--keep-times", backup)
	wantExit(t, code, out, errs, 0, "6 lines: 6 created, 0 updated, 0 unchanged, 0 rejected",
		`Created the metadata field color (choice) for "Farbe".`)
	want := unzipped(t, backup)
	_, got, _ := nodetest.RunProcess(t, empty, "export", "--with-fields")
	if notRestored.ReplaceAllString(got, "") != notRestored.ReplaceAllString(want, "") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !strings.HasPrefix(got, `{"metadata_field":{"key":"color","label":"Farbe","description":"of the cover","kind":"choice","choices":["red"],"required":true}}`) {
		t.Errorf("got %s", got)
	}
	for document, revision := range map[string]string{want: "2", got: "3"} {
		if d := regexp.MustCompile(`"name":"d".*"revision":(\d+)`).FindStringSubmatch(document); d == nil || d[1] != revision {
			t.Errorf("the revision of d is not %s: %s", revision, document)
		}
	}
	code, out, errs = nodetest.RunProcess(t, empty, "import", "--keep-times", "--again", backup)
	wantExit(t, code, out, errs, 0, "6 lines: 0 created, 0 updated, 6 unchanged, 0 rejected")
}
