package node_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// GET, the list, the hook and the subscription send the same bytes.
func TestDocument_IsTheSameBytesAtEveryExit(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	url, deliveries := nodetest.StartReceiver(t)
	n.Call(http.MethodPost, "/api/v1/hooks",
		`{"url":"`+url+`","events":["item.created","item.updated","item.deleted","item.triggered"]}`).
		WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"votes","kind":"number"}`).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"plot","kind":"text"}`).WantStatus(t, http.StatusCreated)
	var page struct {
		Items struct{ ChangeCursor string }
	}
	if err := json.Unmarshal(n.GraphQL(`{ items { changeCursor } }`, nil), &page); err != nil {
		t.Fatal(err)
	}
	events := n.Subscribe(nodetest.FollowQuery, map[string]string{"after": page.Items.ChangeCursor})

	check := func(kind string, want []byte) {
		t.Helper()
		sent, event := nodetest.Next(t, deliveries), events.ReceiveEvent()
		if event.Kind != kind {
			t.Errorf("the subscription has %s, want %s", event.Kind, kind)
		}
		if name := sent.Header.Get("itemcast-event"); name != "item."+strings.ToLower(kind) {
			t.Errorf("the hook has %s, want that of %s", name, kind)
		}
		if !bytes.Equal(sent.Body, want) {
			t.Errorf("%s: the hook's body differs\n got %s\nwant %s", kind, sent.Body, want)
		}
		if !bytes.Equal(event.Document, want) {
			t.Errorf("%s: the subscription's document differs\n got %s\nwant %s", kind, event.Document, want)
		}
	}

	created := n.Call(http.MethodPost, "/api/v1/items",
		`{"name":"<&> \u2028\u2029 😀 \"quoted\" \\ / é \t","description":"a\nb",
		"tags":[],"metadata":{"votes":9007199254740993,"plot":"</script>"},"duration":1.25,
		"client_data":{"z":9007199254740993,"a":[],"o":{},"f":1.0,"e":1e2,"s":"<&>  ","n":null}}`).
		WantStatus(t, http.StatusCreated)
	path := "/api/v1/items/" + created.Field(t, "id")
	got := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
	if !bytes.Equal(created.Body, got.Body) {
		t.Errorf("POST and GET differ\n got %s\nwant %s", created.Body, got.Body)
	}
	if !bytes.Contains(got.Body, []byte(`"z":9007199254740993,"a":[],"o":{},"f":1.0,"e":1e2`)) {
		t.Errorf("client_data was changed: %s", got.Body)
	}
	if !bytes.Contains(got.Body, []byte(`"votes":9007199254740993`)) {
		t.Errorf("a metadata number lost digits: %s", got.Body)
	}
	check("CREATED", got.Body)

	list := n.Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK)
	if want := append(append([]byte(`{"results":[`), got.Body...),
		[]byte(`],"next":null,"previous":null}`)...); !bytes.Equal(list.Body, want) {
		t.Errorf("the list's element differs\n got %s\nwant %s", list.Body, want)
	}

	patched := n.Call(http.MethodPatch, path, `{"tags":["b","a"],"description":null,"privacy":"public"}`, "If-Match",
		got.Header.Get("ETag")).WantStatus(t, http.StatusOK)
	got = n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
	if !bytes.Equal(patched.Body, got.Body) {
		t.Errorf("PATCH and GET differ\n got %s\nwant %s", patched.Body, got.Body)
	}
	check("UPDATED", got.Body)

	n.Call(http.MethodPost, path+"/trigger-hook", "").WantStatus(t, http.StatusAccepted)
	check("TRIGGERED", got.Body)

	n.Call(http.MethodDelete, path, "").WantStatus(t, http.StatusNoContent)
	check("DELETED", got.Body)
	n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusNotFound)

	var history struct {
		Results []struct {
			Kind     string
			Revision int64
			Document json.RawMessage
		}
	}
	if err := json.Unmarshal(n.Call(http.MethodGet, path+"/history", "").
		WantStatus(t, http.StatusOK).Body, &history); err != nil {
		t.Fatal(err)
	}
	if len(history.Results) != 4 || history.Results[0].Kind != "DELETED" || history.Results[0].Revision != 3 {
		t.Errorf("the history of a deleted item is wrong: %+v", history.Results)
	}
}

func TestDocument_AWriteThatChangesNothingRecordsNothing(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	events := n.Subscribe(nodetest.FollowQuery, nil)
	created := n.Call(http.MethodPost, "/api/v1/items", `{"name":"Same","tags":["b","a"],"client_data":{"b":1,"a":2}}`).
		WantStatus(t, http.StatusCreated)
	path := "/api/v1/items/" + created.Field(t, "id")
	for _, body := range []string{`{}`, `{"name":"Same"}`, `{"tags":["a","b","a"]}`, `{"client_data":{}}`,
		`{"description":null}`} {
		if got := n.Call(http.MethodPatch, path, body).WantStatus(t, http.StatusOK); !bytes.Equal(got.Body, created.Body) {
			t.Errorf("%s changed the item: %s", body, got.Body)
		}
	}
	n.Call(http.MethodPatch, path, `{"name":"Other"}`).WantStatus(t, http.StatusOK)
	if first, second := events.ReceiveEvent(), events.ReceiveEvent(); first.Revision != 1 || second.Revision != 2 {
		t.Errorf("got revisions %d and %d, want 1 and 2", first.Revision, second.Revision)
	}
}
