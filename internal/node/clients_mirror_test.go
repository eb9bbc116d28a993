package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"itemcast/internal/node/nodetest"
)

// The mirror stops while items change, and starts again on its file.
func TestClients_TheMirrorEqualsTheServer(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	file := filepath.Join(t.TempDir(), "items.json")
	mirror := func(t *testing.T) <-chan json.RawMessage {
		t.Helper()
		return example(t, "subscribers/mirror.mjs", n.URL, adminCredentials, file)
	}
	type printed struct {
		Listed   *int
		Kind, ID string
		Revision int64
	}
	next := func(lines <-chan json.RawMessage) (p printed) {
		t.Helper()
		if err := json.Unmarshal(nodetest.Next(t, lines), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := func(lines <-chan json.RawMessage, kind, id string, revision int64) {
		t.Helper()
		if got := next(lines); got != (printed{Kind: kind, ID: id, Revision: revision}) {
			t.Fatalf("the mirror prints %+v, want %s of %s, revision %d", got, kind, id, revision)
		}
	}

	kept, deleted := n.CreateItem(`{"name":"kept"}`), n.CreateItem(`{"name":"deleted"}`)
	t.Run("lists, then follows", func(t *testing.T) { // and ends
		lines := mirror(t)
		if got := next(lines); got.Listed == nil || *got.Listed != 2 {
			t.Fatalf("the mirror prints %+v, want 2 items", got)
		}
		n.PatchItem(kept, `{"name":"kept and changed"}`)
		want(lines, "UPDATED", kept, 2)
	})

	again := mirror(t) // from the file
	n.Call(http.MethodDelete, "/api/v1/items/"+deleted, "").WantStatus(t, http.StatusNoContent)
	created := n.CreateItem(`{"name":"created"}`)
	want(again, "DELETED", deleted, 2)
	want(again, "CREATED", created, 1)

	var copied struct{ Items map[string]any }
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &copied); err != nil {
		t.Fatal(err)
	}
	wanted := map[string]any{}
	for _, id := range []string{kept, created} {
		var item any
		if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/items/"+id, "").Body, &item); err != nil {
			t.Fatal(err)
		}
		wanted[id] = item
	}
	if !reflect.DeepEqual(copied.Items, wanted) {
		t.Errorf("the mirror holds %s", fmt.Sprint(copied.Items))
	}
}
