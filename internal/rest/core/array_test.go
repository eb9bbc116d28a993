package core_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// Two items have a tag with a comma, and two have its parts as tags.
func TestArrays_ABareCommaSeparatesAndAnEscapedOneDoesNot(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	receiving, received := nodetest.StartReceiver(t)
	n.CreateHook(`{"url":"` + receiving + `","events":["item.created"],"filter":{"tags":["Action, Adventure"]}}`)
	start := n.Changes("").Cursor
	for _, item := range []string{
		`{"name":"both","tags":["Action, Adventure"]}`, `{"name":"first","tags":["Action"]}`,
		`{"name":"second","tags":["Adventure"]}`, `{"name":"again","tags":["Action, Adventure"]}`,
	} {
		n.CreateItem(item)
	}
	n.AwaitChanges(start, 4)
	for query, want := range map[string]string{
		"tags=Action%2C%20Adventure":                        "both again",
		"tags=Action%2c+Adventure&type=video":               "both again",
		"tags=Action,Adventure":                             "first second",
		"tags=Action&tags=Adventure":                        "first second",
		"tags=Action%2C%20Adventure,Action":                 "both first again",
		"tags=Action%2C%20Adventure&tags=Action":            "both first again",
		"tags=Action%2CAdventure":                           "",
		"tags=Action%2C%20Adventure&privacy=private,public": "both again",
	} {
		list := n.Call(http.MethodGet, "/api/v1/items?sort=created_at&"+query, "").WantStatus(t, http.StatusOK)
		if got := itemNames(t, list.Results(t)); got != want {
			t.Errorf("GET /items?%s: got %q, want %q", query, got, want)
		}
		export := n.Call(http.MethodGet, "/api/v1/items/export?"+query, "").WantStatus(t, http.StatusOK)
		if got := itemNames(t, lines(t, export.Body)); got != want {
			t.Errorf("GET /items/export?%s: got %q, want %q", query, got, want)
		}
		var changed []map[string]any
		for _, c := range n.Changes("?" + query + "&after=" + start).Results {
			changed = append(changed, lines(t, c.Document)...)
		}
		if got := itemNames(t, changed); got != want {
			t.Errorf("GET /changes?%s: got %q, want %q", query, got, want)
		}
		stream := n.StreamChanges("?" + query + "&after=" + start)
		stream.Begin()
		for _, name := range strings.Fields(want) {
			if data := stream.NextChange().Data; !strings.Contains(data, `"name":"`+name+`"`) {
				t.Errorf("a stream of %s: got %s, want %s", query, data, name)
			}
		}
	}
	for _, want := range []string{"both", "again"} {
		if body := string(nodetest.Next(t, received).Body); !strings.Contains(body, `"name":"`+want+`"`) {
			t.Errorf("the hook received %s, want %s", body, want)
		}
	}
}

// The links of a list have the same values as the request.
func TestArrays_LinksKeepTheirValues(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for _, item := range []string{`{"name":"1","tags":["a,b"]}`, `{"name":"2","tags":["a"]}`, `{"name":"3","tags":["c"]}`} {
		n.CreateItem(item)
	}
	page := n.Call(http.MethodGet, "/api/v1/items?sort=name&limit=1&tags=a%2Cb,c", "").WantStatus(t, http.StatusOK)
	next := page.Link(t, "next")
	if next == nil {
		t.Fatalf("the first page has no next: %s", page.Body)
	}
	page = n.Call(http.MethodGet, next.RequestURI(), "").WantStatus(t, http.StatusOK)
	if got := itemNames(t, page.Results(t)); got != "3" || page.Link(t, "next") != nil {
		t.Errorf("%s leads to %q", next, got)
	}
}

func itemNames(t *testing.T, items []map[string]any) string {
	t.Helper()
	var names []string
	for _, item := range items {
		names = append(names, item["name"].(string))
	}
	return strings.Join(names, " ")
}

// lines decodes objects, one a line.
func lines(t *testing.T, text []byte) (objects []map[string]any) {
	t.Helper()
	for line := range strings.Lines(string(text)) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

// A generated client can type the one form; people write the other.
func TestFilter_MetadataHasTwoForms(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for _, field := range []string{`{"key":"year","kind":"number"}`, `{"key":"by","kind":"text"}`} {
		n.Call(http.MethodPost, "/api/v1/metadata-fields", field).WantStatus(t, http.StatusCreated)
	}
	start := n.Changes("").Cursor
	n.CreateItem(`{"name":"1","metadata":{"year":1927,"by":"Lang, F."}}`)
	n.CreateItem(`{"name":"2","metadata":{"year":1927}}`)
	n.AwaitChanges(start, 2)
	for query, want := range map[string]string{
		"metadata.year=1927": "1 2", "metadata[year]=1927": "1 2", "metadata%5Byear%5D=1927.0": "1 2",
		"metadata[year]=1927&metadata[by]=Lang,%20F.": "1", "metadata.year=1927&metadata[by]=Lang%2C+F.": "1",
	} {
		list := n.Call(http.MethodGet, "/api/v1/items?sort=name&"+query, "").WantStatus(t, http.StatusOK)
		if got := itemNames(t, list.Results(t)); got != want {
			t.Errorf("GET /items?%s: got %q, want %q", query, got, want)
		}
		if got := len(n.Changes("?" + query + "&after=" + start).Results); got != len(strings.Fields(want)) {
			t.Errorf("GET /changes?%s: got %d changes, want %q", query, got, want)
		}
	}
	next := n.Call(http.MethodGet, "/api/v1/items?limit=1&metadata[year]=1927", "").Link(t, "next")
	n.Call(http.MethodGet, next.RequestURI(), "").WantStatus(t, http.StatusOK)
	for _, query := range []string{"metadata[year]=x", "metadata[none]=1", "metadata[year]=1&metadata.year=1"} {
		n.Call(http.MethodGet, "/api/v1/items?"+query, "").
			WantProblem(t, query, http.StatusBadRequest, "INVALID_INPUT")
	}
}
