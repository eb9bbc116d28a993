package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// plainFields selects every field that comes from an item's document, with every kind of selection.
const plainFields = `... on Item { id url called: name description kind: type privacy language producer duration tags metadata clientData snapshotId }
	... on Node { itsID: id } ...parts embedCode playerUrl workflow { status } createdAt updatedAt publishedAt revision __typename
	never: name @include(if: $no) always: name @skip(if: $no)`

const plainParts = ` fragment parts on Item { assets { id __typename kind } assets { url contentType size width height bitrate language } snapshots { url id } }`

// A selection of plain fields is cut from the document. gqlgen resolves field by field if a field has a resolver. Both
// results are equal.
func TestSelection_FromTheDocumentEqualsTheFields(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"votes","kind":"number"}`).WantStatus(t, http.StatusCreated)
	path, start := "/api/v1/items/", n.Changes("").Cursor
	var id string
	for _, body := range []string{
		`{"name":"Bare"}`,
		`{"name":"<&> \u2028\u2029 😀 \"quoted\" \\ / é \t","type":"audio","privacy":"public","language":"de","producer":"}],\"","description":"a\nb","duration":1.25,
			"tags":["z","a \"b\"","[{"],"metadata":{"votes":9007199254740993},"embed_code":"<iframe src=\"x\"></iframe>","player_url":"https://example.com/p",
			"assets":[{"kind":"source","url":"https://example.com/a.mp4","content_type":"video/mp4","size":9007199254740991,"width":1920,"height":1080,"bitrate":1500000},
				{"kind":"subtitle","url":"https://example.com/a.vtt","content_type":"text/vtt","language":"fr"}],
			"snapshots":[{"url":"https://example.com/s.jpg"},{"url":"https://example.com/t.jpg"}],
			"client_data":{"z":9007199254740993,"a":[],"o":{},"f":1.0,"e":1e2,"s":"\\\"]}","n":null}}`,
	} {
		id = n.Call(http.MethodPost, "/api/v1/items", body).WantStatus(t, http.StatusCreated).Field(t, "id")
	}
	n.Call(http.MethodPatch, path+id, `{"description":"changed"}`).WantStatus(t, http.StatusOK)
	n.AwaitChanges(start, 3) // so that the history is complete

	for _, query := range []string{
		`query ($no: Boolean!) { items { nodes { %s } } }`,
		`query ($no: Boolean!) { items(sort: CREATED_AT, last: 1) { edges { node { %s } } } }`,
		`query ($no: Boolean!) { items { nodes { ...both } edges { cursor node { ...both } } } } fragment both on Item { %s }`,
		`query ($no: Boolean!) { item(id: "` + id + `") { %s } again: item(id: "` + id +
			`") { %[1]s } none: item(id: "01890000-0000-7000-8000-000000000000") { %[1]s } }`,
		`query ($no: Boolean!) { item(id: "` + id + `") { history { nodes { kind item { %s } } } } }`,
		`mutation ($no: Boolean!) { updateItem(id: "` + id + `", input: {description: "changed"}) { item { %s } } }`,
	} {
		plain := selected(n, query, plainFields)
		resolved := selected(n, query, plainFields+" zz: createdBy { id }")
		if bytes.Equal(plain, resolved) {
			t.Fatalf("%s: the resolver was not called", query)
		}
		if got, want := without(t, plain, "zz"), without(t, resolved, "zz"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %s\nwant %s", query, plain, resolved)
		}
	}
}

func selected(n *nodetest.Node, query, fields string) []byte {
	return n.GraphQL(fmt.Sprintf(query, fields)+plainParts, nodetest.Vars{"no": false})
}

// without decodes JSON, with every digit of its numbers, and deletes a member of all objects.
func without(t *testing.T, raw []byte, member string) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), `"__typename":"Asset"`) {
		t.Fatalf("the items have no assets: %s", raw)
	}
	var drop func(any)
	drop = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			delete(v, member)
			for _, child := range v {
				drop(child)
			}
		case []any:
			for _, child := range v {
				drop(child)
			}
		}
	}
	drop(value)
	return value
}
