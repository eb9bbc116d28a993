package core_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/node/nodetest"
)

// The revisions of an item continue when it is imported again after its deletion, so that an old ETag does not match.
func TestImport_ADeletedItemContinuesItsRevisions(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, "/api/v1/items", `{"name":"Laura"}`).WantStatus(t, http.StatusCreated)
	path := "/api/v1/items/" + made.Field(t, "id")
	n.Call(http.MethodDelete, path, "").WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodPost, "/api/v1/items/import", string(made.Body)+"\n", "Content-Type", "application/x-ndjson").
		WantStatus(t, http.StatusOK)
	if got := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK).Header.Get("ETag"); got != `"3"` {
		t.Errorf("its revision is %s, want 3: it was created with 1 and deleted with 2", got)
	}
	n.Call(http.MethodPatch, path, `{"name":"stale"}`, "If-Match", `"1"`).WantStatus(t, http.StatusPreconditionFailed)
}

// Links to an item that was deleted may still be around. Another account must not answer them.
func TestImport_TheIDOfADeletedItemStaysWithItsAccount(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	stranger := n.CreateStranger()
	made := n.Call(http.MethodPost, "/api/v1/items", `{"name":"Laura","privacy":"public"}`).WantStatus(t, http.StatusCreated)
	path := "/api/v1/items/" + made.Field(t, "id")
	restore := func(c *nodetest.Client, want string) {
		t.Helper()
		got := c.Call(http.MethodPost, "/api/v1/items/import", string(made.Body)+"\n", "Content-Type", "application/x-ndjson").
			WantStatus(t, http.StatusOK)
		if !strings.Contains(string(got.Body), want) {
			t.Errorf("the import reports %s, want %s", got.Body, want)
		}
	}
	restore(stranger, `"rejected":1`)
	n.Call(http.MethodDelete, path, "").WantStatus(t, http.StatusNoContent)
	restore(stranger, `"rejected":1`)
	stranger.Call(http.MethodGet, path, "").WantStatus(t, http.StatusNotFound)
	restore(n.Client, `"created":1`)
}

func TestImport_SimultaneousImportsOfTheSameItemsAllSucceed(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	ids := make([]uuid.UUID, 60)
	for k := range ids {
		ids[k] = uuid.Must(uuid.NewV7())
	}
	var imports errgroup.Group
	for k := range 6 {
		var lines strings.Builder
		for at := range ids {
			if k%2 == 1 {
				at = len(ids) - 1 - at
			}
			fmt.Fprintf(&lines, `{"id":"%s","name":"by %d"}`+"\n", ids[at], k)
		}
		imports.Go(func() error {
			if got := n.Call(http.MethodPost, "/api/v1/items/import", lines.String(), "Content-Type",
				"application/x-ndjson"); got.Status != http.StatusOK {
				return fmt.Errorf("import %d: %d %s", k, got.Status, got.Body)
			}
			return nil
		})
	}
	if err := imports.Wait(); err != nil {
		t.Error(err)
	}
}

func TestImport_ResumesByItsKeyAndReportsRejectedLines(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	body := `{"name":"one"}` + "\n" + `{"name":""}` + "\n" + `{"name":"three"`
	send := func(key string) nodetest.Response {
		return n.Call(http.MethodPost, "/api/v1/items/import", body, "Content-Type", "application/x-ndjson",
			"Idempotency-Key", key).WantStatus(t, http.StatusOK)
	}
	var first, second struct {
		Lines, Created, Rejected int
		ResumedAfterLine         int `json:"resumed_after_line"`
		Errors                   []struct {
			Line   int
			Errors []struct{ Pointer string }
		}
	}
	if err := json.Unmarshal(send("a key").Body, &first); err != nil {
		t.Fatal(err)
	}
	if first.Lines != 3 || first.Created != 1 || first.Rejected != 2 || len(first.Errors) != 2 ||
		first.Errors[0].Line != 2 || first.Errors[0].Errors[0].Pointer != "#/name" {
		t.Errorf("got %+v", first)
	}
	if err := json.Unmarshal(send("a key").Body, &second); err != nil {
		t.Fatal(err)
	}
	if second.ResumedAfterLine != 3 || second.Created != 1 || nodetest.CountItems(t, n.Pool) != 1 {
		t.Errorf("got %+v", second)
	}
}

func TestImport_RefusesAKeyThatWasUsedForOtherLines(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	send := func(body string) nodetest.Response {
		return n.Call(http.MethodPost, "/api/v1/items/import", body, "Content-Type", "application/x-ndjson",
			"Idempotency-Key", "k")
	}
	send(`{"name":"one"}`).WantStatus(t, http.StatusOK)
	if refused := send(`{"name":"two"}`).WantStatus(t, http.StatusConflict); refused.Field(t, "code") != "CONFLICT" {
		t.Errorf("got %s", refused.Body)
	}
	if nodetest.CountItems(t, n.Pool) != 1 {
		t.Errorf("%d items, want 1", nodetest.CountItems(t, n.Pool))
	}
}

func TestImport_TakesTheMediaTypesOfItsFormats(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const line, array = `{"name":"a","tags":["x"]}`, "[\n{\"name\":\"a\"},{\"name\":\"\"}]"
	for _, c := range []struct {
		mediaType, body   string
		created, rejected int
	}{
		{"application/x-ndjson", line, 1, 0}, {"application/ndjson", line, 1, 0}, {"application/jsonl", line, 1, 0},
		{"application/jsonl; charset=utf8", line, 1, 0}, {"application/json", array, 1, 1},
		{"application/json;charset=UTF-8", line, 1, 0}, {"text/csv; charset=utf-8", "name,year\na,1927\n", 0, 1},
		{"text/csv;header=present", "name;tags\r\na;x, y\r\n", 1, 0},
		{"text/tab-separated-values", "name\ttags\na\tx\n", 1, 0},
		{"text/csv; charset=utf-16", "\xff\xfen\x00a\x00m\x00e\x00\n\x00a\x00", 1, 0},
	} {
		got := n.Call(http.MethodPost, "/api/v1/items/import", c.body, "Content-Type", c.mediaType).WantStatus(t, http.StatusOK)
		var report struct{ Created, Rejected int }
		if err := json.Unmarshal(got.Body, &report); err != nil || report.Created != c.created || report.Rejected != c.rejected {
			t.Errorf("%s: got %s", c.mediaType, got.Body)
		}
	}
	for _, mediaType := range []string{"application/xml", "text/csv; charset=latin1", "multipart/form-data; boundary=x"} {
		n.Call(http.MethodPost, "/api/v1/items/import", line, "Content-Type", mediaType).
			WantProblem(t, mediaType, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
	}
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"b"}`, "Content-Type", "application/json; charset=utf8").
		WantStatus(t, http.StatusCreated)
}

func TestImport_NamesABodyThatIsNoListOfItems(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.WantNoWrites(func() {
		for body, want := range map[string]string{
			"PK\x03\x04\x14\x00\x00\x00\x00\x00":    "This is a ZIP archive. Unpack it, and import the file in it.",
			"\x1f\x8b\x08\x00\x00\x00\x00\x00":      "This is compressed by gzip. Decompress it first",
			"{\n \"results\": [\n {\"a\":1}\n ]\n}": "This is one JSON object over several lines.",
		} {
			got := n.Call(http.MethodPost, "/api/v1/items/import", body, "Content-Type", "text/csv", "Idempotency-Key", "k").
				WantProblem(t, want, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
			if !strings.Contains(got.Field(t, "detail"), want) {
				t.Errorf("got %s", got.Body)
			}
		}
	})
}

func TestImport_ReportsTheFieldsThatItCreatesAndTheColumnsThatItIgnores(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	send := func() nodetest.Response {
		return n.Call(http.MethodPost, "/api/v1/items/import?create_fields=true&tag_separator=%7C",
			"name,tags,Release Date,revision\na,\"Action, Adventure|x\",1927-01-10,7\n", "Content-Type", "text/csv",
			"Idempotency-Key", "k").WantStatus(t, http.StatusOK)
	}
	const want = `"created_fields":[{"key":"release_date","label":"Release Date","kind":"date"}],"ignored_columns":["revision"]`
	for range 2 { // the second resumes
		if got := send(); !strings.Contains(string(got.Body), want) {
			t.Errorf("got %s", got.Body)
		}
	}
	if got := n.Call(http.MethodGet, "/api/v1/items?metadata.release_date=1927-01-10", "").Body; !strings.Contains(string(got),
		`"tags":["Action, Adventure","x"]`) {
		t.Errorf("got %s", got)
	}
	got := n.Call(http.MethodPost, "/api/v1/items/import", `[{"name":"a"},{"name":""}]`, "Content-Type", "application/json").
		WantStatus(t, http.StatusOK)
	if !strings.Contains(string(got.Body), `"errors":[{"line":1,"element":2,`) {
		t.Errorf("got %s", got.Body)
	}
}

func TestExport_WithFieldsIsABackupThatImportRestores(t *testing.T) {
	t.Parallel()
	n, elsewhere := nodetest.Start(t), nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number","label":"Jahr"}`).WantStatus(t, http.StatusCreated)
	n.CreateItem(`{"name":"a","privacy":"public","metadata":{"year":1927}}`)
	plain := n.Call(http.MethodGet, "/api/v1/items/export", "").WantStatus(t, http.StatusOK)
	backup := n.Call(http.MethodGet, "/api/v1/items/export?with_fields=true", "").WantStatus(t, http.StatusOK)
	const field = `{"metadata_field":{"key":"year","label":"Jahr","description":"","kind":"number","choices":[],"required":false}}` + "\n"
	if string(backup.Body) != field+string(plain.Body) {
		t.Errorf("got %s", backup.Body)
	}
	got := elsewhere.Call(http.MethodPost, "/api/v1/items/import?keep_times=true", string(backup.Body), "Content-Type",
		"application/x-ndjson").WantStatus(t, http.StatusOK)
	if !strings.Contains(string(got.Body), `"created":2,`) {
		t.Errorf("got %s", got.Body)
	}
	restored := elsewhere.Call(http.MethodGet, "/api/v1/items/export", "").WantStatus(t, http.StatusOK)
	for _, name := range []string{"id", "name", "created_at", "updated_at", "published_at"} {
		if restored.Field(t, name) != plain.Field(t, name) {
			t.Errorf("%s is %s, want %s", name, restored.Field(t, name), plain.Field(t, name))
		}
	}
}

func TestImport_KeepTimesNeedsUsersManage(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	editor, _ := n.CreateEditor("importer")
	editor.Call(http.MethodPost, "/api/v1/items/import?keep_times=true", `{"name":"a"}`, "Content-Type", "application/x-ndjson").
		WantProblem(t, "keep_times", http.StatusForbidden, "FORBIDDEN")
	editor.Call(http.MethodPost, "/api/v1/items/import", `{"name":"a"}`, "Content-Type", "application/x-ndjson").
		WantStatus(t, http.StatusOK)
}
