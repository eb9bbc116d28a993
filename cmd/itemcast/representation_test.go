package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const follow = `subscription ($after: Cursor) { itemChanges(after: $after) { cursor kind revision document } }`

// An item is rendered once: GET, the list, the hook and the subscription send the same bytes, whatever the item holds.
func TestRepresentation_IsTheSameBytesAtEveryExit(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	url, deliveries := receiver(t)
	n.call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created","item.updated","item.deleted","item.triggered"]}`).expect(t, http.StatusCreated)
	n.call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"votes","kind":"number"}`).expect(t, http.StatusCreated)
	n.call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"plot","kind":"text"}`).expect(t, http.StatusCreated)
	var page struct {
		Items struct{ ChangeCursor string }
	}
	if err := json.Unmarshal(n.graphql(`{ items { changeCursor } }`, nil), &page); err != nil {
		t.Fatal(err)
	}
	events := n.subscribe(follow, map[string]string{"after": page.Items.ChangeCursor})

	check := func(kind string, want []byte) {
		t.Helper()
		sent, told := next(t, deliveries), events.event()
		if told.Kind != kind {
			t.Errorf("the subscription says %s, want %s", told.Kind, kind)
		}
		if event := sent.header.Get("itemcast-event"); event != "item."+strings.ToLower(kind) {
			t.Errorf("the hook says %s, want that of %s", event, kind)
		}
		if !bytes.Equal(sent.body, want) {
			t.Errorf("%s: the hook's body differs\n got %s\nwant %s", kind, sent.body, want)
		}
		if !bytes.Equal(told.Document, want) {
			t.Errorf("%s: the subscription's document differs\n got %s\nwant %s", kind, told.Document, want)
		}
	}

	created := n.call(http.MethodPost, "/api/v1/items", `{"name":"<&> \u2028\u2029 😀 \"quoted\" \\ / é \t","description":"a\nb",
		"tags":[],"metadata":{"votes":9007199254740993,"plot":"</script>"},"duration":1.25,
		"client_data":{"z":9007199254740993,"a":[],"o":{},"f":1.0,"e":1e2,"s":"<&>  ","n":null}}`).expect(t, http.StatusCreated)
	path := "/api/v1/items/" + created.field(t, "id")
	got := n.call(http.MethodGet, path, "").expect(t, http.StatusOK)
	if !bytes.Equal(created.body, got.body) {
		t.Errorf("POST and GET differ\n got %s\nwant %s", created.body, got.body)
	}
	if !bytes.Contains(got.body, []byte(`"z":9007199254740993,"a":[],"o":{},"f":1.0,"e":1e2`)) {
		t.Errorf("client_data is not passed through untouched: %s", got.body)
	}
	if !bytes.Contains(got.body, []byte(`"votes":9007199254740993`)) {
		t.Errorf("a metadata number lost digits: %s", got.body)
	}
	check("CREATED", got.body)

	list := n.call(http.MethodGet, "/api/v1/items", "").expect(t, http.StatusOK)
	if want := append(append([]byte(`{"results":[`), got.body...), []byte(`],"next":null,"previous":null}`)...); !bytes.Equal(list.body, want) {
		t.Errorf("the list's element differs\n got %s\nwant %s", list.body, want)
	}

	patched := n.call(http.MethodPatch, path, `{"tags":["b","a"],"description":null,"privacy":"public"}`, "If-Match", got.header.Get("ETag")).expect(t, http.StatusOK)
	got = n.call(http.MethodGet, path, "").expect(t, http.StatusOK)
	if !bytes.Equal(patched.body, got.body) {
		t.Errorf("PATCH and GET differ\n got %s\nwant %s", patched.body, got.body)
	}
	check("UPDATED", got.body)

	n.call(http.MethodPost, path+"/trigger-hook", "").expect(t, http.StatusAccepted)
	check("TRIGGERED", got.body)

	n.call(http.MethodDelete, path, "").expect(t, http.StatusNoContent)
	check("DELETED", got.body)
	n.call(http.MethodGet, path, "").expect(t, http.StatusNotFound)

	var history struct {
		Results []struct {
			Kind     string
			Revision int64
			Document json.RawMessage
		}
	}
	if err := json.Unmarshal(n.call(http.MethodGet, path+"/history", "").expect(t, http.StatusOK).body, &history); err != nil {
		t.Fatal(err)
	}
	if len(history.Results) != 4 || history.Results[0].Kind != "DELETED" || history.Results[0].Revision != 3 {
		t.Errorf("the history of a deleted item is wrong: %+v", history.Results)
	}
}

// A write that alters nothing raises no revision and tells nobody.
func TestRepresentation_AWriteThatAltersNothingRecordsNothing(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	events := n.subscribe(follow, nil)
	created := n.call(http.MethodPost, "/api/v1/items", `{"name":"Same","tags":["b","a"],"client_data":{"b":1,"a":2}}`).expect(t, http.StatusCreated)
	path := "/api/v1/items/" + created.field(t, "id")
	for _, body := range []string{`{}`, `{"name":"Same"}`, `{"tags":["a","b","a"]}`, `{"client_data":{}}`, `{"description":null}`} {
		if got := n.call(http.MethodPatch, path, body).expect(t, http.StatusOK); !bytes.Equal(got.body, created.body) {
			t.Errorf("%s changed the item: %s", body, got.body)
		}
	}
	n.call(http.MethodPatch, path, `{"name":"Other"}`).expect(t, http.StatusOK)
	if first, second := events.event(), events.event(); first.Revision != 1 || second.Revision != 2 {
		t.Errorf("got revisions %d and %d, want 1 and 2", first.Revision, second.Revision)
	}
}
