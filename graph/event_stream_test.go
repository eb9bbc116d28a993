package graph_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"itemcast/internal/node/nodetest"
)

// A subscription's events follow the protocol graphql-sse, and their ids are cursors. A stream can be resumed by the
// id or by the variable.
func TestEventStream_IsGraphQLSSEWithCursorsAsIDs(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const query = "subscription ($after: Cursor) { itemChanges(after: $after) { cursor document } }"
	get := "/graphql?" + url.Values{"query": {query}}.Encode()
	page, program := n.Stream(http.MethodGet, get, ""), n.Stream(http.MethodPost, "/graphql", `{"query":"`+query+`"}`)
	start := page.Begin()
	if retry, mark := nodetest.Next(t, program.Events), nodetest.Next(t, program.Events); retry.Retry == "" ||
		mark != (nodetest.ServerEvent{ID: mark.ID}) || len(n.Changes("?after="+mark.ID).Results) > 0 {
		t.Errorf("a program's stream begins with %+v and %+v", retry, mark)
	}
	id := n.CreateItem(`{"name":"<Nosferatu>\n & \u2028","client_data":{"z":"\r\n","a":1.50}}`)
	document := n.Call(http.MethodGet, "/api/v1/items/"+id, "").Body
	first := nodetest.Next(t, page.Events)
	want := nodetest.ServerEvent{Name: "next", ID: first.ID,
		Data: `{"data":{"itemChanges":{"cursor":"` + first.ID + `","document":` + string(document) + `}}}`}
	if got := nodetest.Next(t, program.Events); first != want || got != want {
		t.Errorf("got %+v and %+v, want %+v", first, got, want)
	}
	n.PatchItem(id, `{"name":"Nosferatu"}`)
	second := nodetest.Next(t, page.Events)
	variables, err := json.Marshal(map[string]string{"after": start})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*nodetest.EventStream{
		"variable":      n.Stream(http.MethodPost, "/graphql", `{"query":"`+query+`","variables":{"after":"`+first.ID+`"}}`),
		"Last-Event-ID": n.Stream(http.MethodPost, "/graphql", `{"query":"`+query+`"}`, "Last-Event-ID", first.ID),
		"both":          n.Stream(http.MethodGet, get+"&variables="+url.QueryEscape(string(variables)), "", "Last-Event-ID", first.ID),
	} {
		if at := nodetest.Next(t, s.Events); at.Retry == "" {
			t.Errorf("%s: begins with %+v", name, at)
		}
		if at := nodetest.Next(t, s.Events); len(n.Changes("?after="+at.ID).Results) != 1 {
			t.Errorf("%s: begins at %+v", name, at)
		}
		if got := nodetest.Next(t, s.Events); got != second {
			t.Errorf("%s: got %+v, want %+v", name, got, second)
		}
	}
}
