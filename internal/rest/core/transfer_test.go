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
