package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// graphQLPages reads a whole list over GraphQL, forward or backward, and returns the ids in the list's order. It calls
// between after each page.
func graphQLPages(n *nodetest.Node, sort, filter string, size int, backward bool, between func()) (ids []string) {
	n.T.Helper()
	cursor := ""
	for {
		arguments := fmt.Sprintf("first: %d, after: $c", size)
		if backward {
			arguments = fmt.Sprintf("last: %d, before: $c", size)
		}
		query := fmt.Sprintf(`query ($c: String) { items(sort: %s, filter: {%s}, %s) { edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`, sort, filter, arguments)
		variables := nodetest.Vars{}
		if cursor != "" {
			variables["c"] = cursor
		}
		var got struct {
			Items struct {
				Edges []struct {
					Cursor string
					Node   struct{ ID string }
				}
				Nodes    []struct{ ID string }
				PageInfo struct {
					HasNextPage, HasPreviousPage bool
					StartCursor, EndCursor       *string
				}
			}
		}
		if err := json.Unmarshal(n.GraphQL(query, variables), &got); err != nil {
			n.T.Fatal(err)
		}
		page := []string{}
		for i, edge := range got.Items.Edges {
			if edge.Node.ID != got.Items.Nodes[i].ID {
				n.T.Errorf("edges and nodes differ")
			}
			page = append(page, edge.Node.ID)
		}
		more, to := got.Items.PageInfo.HasNextPage, got.Items.PageInfo.EndCursor
		if backward {
			ids, more, to = append(page, ids...), got.Items.PageInfo.HasPreviousPage, got.Items.PageInfo.StartCursor
		} else {
			ids = append(ids, page...)
		}
		if !more {
			return ids
		}
		if len(page) != size {
			n.T.Fatalf("a page before the last has %d of %d", len(page), size)
		}
		cursor = *to
		if between != nil {
			between()
		}
	}
}

// restPages reads a whole list over REST by its next links.
func restPages(n *nodetest.Node, query string) (ids []string) {
	n.T.Helper()
	path := "/api/v1/items?" + query
	for {
		got := n.Call(http.MethodGet, path, "").WantStatus(n.T, http.StatusOK)
		var page struct{ Results []struct{ ID string } }
		if err := json.Unmarshal(got.Body, &page); err != nil {
			n.T.Fatal(err)
		}
		for _, i := range page.Results {
			ids = append(ids, i.ID)
		}
		next := got.Link(n.T, "next")
		if next == nil {
			return ids
		}
		path = next.RequestURI()
	}
}

func TestParity_ListsAreEqualOverRESTAndGraphQL(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).WantStatus(t, http.StatusCreated)
	types, privacies := []string{"video", "audio", "image", "document", "live"}, []string{"public", "unlisted", "private"}
	middle := ""
	for i := range 60 {
		made := n.Call(http.MethodPost, "/api/v1/items",
			fmt.Sprintf(`{"name":"%s %d","type":%q,"privacy":%q,"tags":["t%d"],"metadata":{"year":%d}}`,
				[]string{"Same", "same", "Ändern", "zebra"}[i%4], i/8, types[i%5], privacies[i%3], i%7, 1900+i%10)).
			WantStatus(t, http.StatusCreated)
		if i == 30 {
			middle = made.Field(t, "created_at")
		}
	}
	for sort, parameter := range map[string]string{"CREATED_AT": "created_at", "CREATED_AT_DESC": "-created_at",
		"UPDATED_AT": "updated_at", "UPDATED_AT_DESC": "-updated_at", "NAME": "name", "NAME_DESC": "-name"} {
		want := restPages(n, "limit=13&sort="+parameter)
		if unique := slices.Compact(slices.Sorted(slices.Values(want))); len(unique) != 60 {
			t.Fatalf("%s: REST shows %d different items", sort, len(unique))
		}
		for _, backward := range []bool{false, true} {
			if got := graphQLPages(n, sort, "", 7, backward, nil); !slices.Equal(got, want) {
				t.Errorf("%s, backward %v: GraphQL's list differs from REST's", sort, backward)
			}
		}
	}
	for filter, query := range map[string]string{
		`types: [VIDEO, LIVE]`: "type=video,live", `privacies: [PRIVATE]`: "privacy=private",
		`tags: ["t1", "t2"]`: "tags=t1&tags=t2", `search: "zebra -3"`: "search=zebra+-3",
		`metadata: [{key: "year", value: "1903"}]`: "metadata.year=1903",
		`createdAfter: "` + middle + `"`: "created_after=" +
			url.QueryEscape(middle), `workflowStatuses: ["none"]`: "workflow_status=none",
		`createdBefore: "` + middle + `", types: [IMAGE]`: "type=image&created_before=" +
			url.QueryEscape(middle), `updatedAfter: "` + middle + `"`: "updated_after=" + url.QueryEscape(middle),
	} {
		want := restPages(n, "limit=5&"+query)
		if got := graphQLPages(n, "CREATED_AT_DESC", filter, 5, false, nil); !slices.Equal(got, want) ||
			(len(want) == 0) != strings.HasPrefix(filter, "workflow") {
			t.Errorf("%s: GraphQL shows %d, REST %d", filter, len(got), len(want))
		}
		var count struct{ Items struct{ TotalCount int } }
		if err := json.Unmarshal(n.GraphQL(`{ items(filter: {`+filter+`}) { totalCount } }`, nil), &count); err != nil ||
			count.Items.TotalCount != len(want) {
			t.Errorf("%s: counts %d, lists %d", filter, count.Items.TotalCount, len(want))
		}
	}

	// Items that exist throughout are listed once, whatever is created in between.
	for _, backward := range []bool{false, true} {
		for _, sort := range []string{"NAME", "CREATED_AT_DESC"} {
			before := restPages(n, "limit=200")
			got := graphQLPages(n, sort, "", 9, backward, func() {
				n.Call(http.MethodPost, "/api/v1/items", `{"name":"Same 3"}`).WantStatus(t, http.StatusCreated)
			})
			if unique := slices.Compact(slices.Sorted(slices.Values(got))); len(unique) != len(got) {
				t.Errorf("%s, backward %v: repeats", sort, backward)
			}
			for _, id := range before {
				if !slices.Contains(got, id) {
					t.Errorf("%s, backward %v: %s is skipped", sort, backward, id)
				}
			}
		}
	}
}

const everyField = `id url name description type privacy language producer duration tags metadata client_data: clientData
	assets { id kind url content_type: contentType size width height bitrate language } snapshots { id url } snapshot_id: snapshotId embed_code: embedCode
	player_url: playerUrl workflow { profileId } created_by: createdBy { id } created_at: createdAt updated_at: updatedAt published_at: publishedAt revision`

// sameAsREST fails the test unless an item's GraphQL fields equal its document, and returns the document.
func sameAsREST(n *nodetest.Node, id string) map[string]any {
	n.T.Helper()
	var got struct{ Item map[string]any }
	if err := json.Unmarshal(n.GraphQL(`query ($id: ID!) { item(id: $id) { `+everyField+` } }`, nodetest.Vars{"id": id}),
		&got); err != nil {
		n.T.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/items/"+id, "").
		WantStatus(n.T, http.StatusOK).Body, &want); err != nil {
		n.T.Fatal(err)
	}
	for name, value := range want {
		field := got.Item[name]
		switch name {
		case "type", "privacy":
			field = strings.ToLower(fmt.Sprint(field))
		case "created_by":
			field = field.(map[string]any)["id"]
		case "assets":
			for _, asset := range field.([]any) {
				asset.(map[string]any)["kind"] = strings.ToLower(asset.(map[string]any)["kind"].(string))
			}
		}
		if a, b := fmt.Sprint(field), fmt.Sprint(value); a != b {
			n.T.Errorf("%s is %s over GraphQL, %s over REST", name, a, b)
		}
	}
	return want
}

func TestParity_FieldsAndMutationsAreEqualOverRESTAndGraphQL(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	hookURL, deliveries := nodetest.StartReceiver(t)
	n.GraphQL(`mutation { createMetadataField(input: {key: "year", kind: NUMBER}) { metadataField { id } } }`, nil)
	n.GraphQL(`mutation { createMetadataField(input: {key: "plot", kind: TEXT}) { metadataField { id } } }`, nil)
	var made struct {
		CreateItem struct{ Item struct{ ID string } }
	}
	snapshot := "01890a5d-ac96-774b-bcce-b302099a8057"
	if err := json.Unmarshal(n.GraphQL(`mutation ($i: CreateItemInput!) { createItem(input: $i) { item { id } } }`,
		nodetest.Vars{"i": nodetest.Vars{
			"name": "Metropolis", "description": "d", "type": "AUDIO", "privacy": "PUBLIC", "language": "de", "producer": "UFA",
			"duration": 153.5, "tags": []string{"b", "a"},
			"metadata":   nodetest.Vars{"year": 1927, "plot": "p"},
			"clientData": nodetest.Vars{"keep": 1, "drop": nodetest.Vars{"x": 1}}, "embedCode": "<i>",
			"playerUrl": "https://example.com/p", "snapshotId": snapshot,
			"assets":    []nodetest.Vars{{"kind": "SUBTITLE", "url": "https://example.com/a", "contentType": "text/vtt", "size": 9007199254740991, "width": 1, "height": 2, "bitrate": 3, "language": "de"}},
			"snapshots": []nodetest.Vars{{"id": snapshot, "url": "https://example.com/s"}},
		}}), &made); err != nil {
		t.Fatal(err)
	}
	id := made.CreateItem.Item.ID
	sameAsREST(n, id)

	const update = `mutation ($id: ID!, $i: UpdateItemInput!, $r: Int) { updateItem(id: $id, input: $i, ifRevision: $r) { item { revision } } }`
	n.GraphQL(update, nodetest.Vars{"id": id, "r": 1,
		"i": nodetest.Vars{"description": nil, "language": nil, "duration": nil, "playerUrl": nil, "metadata": nodetest.Vars{"plot": nil}, "clientData": nodetest.Vars{"drop": nil, "new": []int{}}}})
	got := sameAsREST(n, id)
	for name, want := range map[string]string{"name": "Metropolis", "description": "", "language": "<nil>",
		"duration": "<nil>", "player_url": "<nil>", "producer": "UFA", "metadata": "map[year:1927]",
		"client_data": "map[keep:1 new:[]]", "tags": "[a b]"} {
		if fmt.Sprint(got[name]) != want {
			t.Errorf("after a patch, %s is %v, want %s", name, got[name], want)
		}
	}
	n.GraphQL(update, nodetest.Vars{"id": id,
		"i": nodetest.Vars{"privacy": nil, "type": nil, "tags": nil, "assets": nil, "snapshotId": nil, "snapshots": []nodetest.Vars{}, "metadata": nil, "clientData": nil}})
	if got = sameAsREST(n, id); got["privacy"] != "private" || got["published_at"] != nil ||
		fmt.Sprint(got["assets"], got["metadata"], got["client_data"]) != "[] map[] map[]" {
		t.Errorf("emptied by null: %v", got)
	}
	n.GraphQL(update, nodetest.Vars{"id": id, "i": nodetest.Vars{}})
	n.GraphQL(`mutation ($id: ID!) { replaceItem(id: $id, input: {name: "Other"}, ifRevision: 3) { item { id } } }`,
		nodetest.Vars{"id": id})
	if got = sameAsREST(n, id); got["revision"] != 4.0 || got["producer"] != nil || got["embed_code"] != nil {
		t.Errorf("replaced: %v", got)
	}

	n.GraphQL(`mutation ($u: String!) { createHook(input: {url: $u}) { secret hook { id events active } } }`,
		nodetest.Vars{"u": hookURL})
	n.GraphQL(`mutation ($id: ID!) { triggerItemHook(id: $id) { itemId revision hookIds } }`, nodetest.Vars{"id": id})
	if sent := nodetest.Next(t, deliveries); sent.Header.Get("itemcast-event") != "item.triggered" {
		t.Errorf("triggered: %v", sent.Header)
	}
	var history struct {
		Item struct {
			History struct {
				Nodes []struct {
					Kind, Trigger string
					Revision      int64
					ChangedFields []string
					Actor         struct{ Name string }
				}
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
	}
	seen, after := []string(nil), any(nil)
	for {
		if err := json.Unmarshal(n.GraphQL(`query ($id: ID!, $a: String) { item(id: $id) { history(first: 2, after: $a) { pageInfo { hasNextPage endCursor } nodes { kind trigger revision changedFields actor { name } } } } }`, nodetest.Vars{"id": id, "a": after}), &history); err != nil {
			t.Fatal(err)
		}
		for _, c := range history.Item.History.Nodes {
			seen = append(seen, fmt.Sprint(c.Kind, c.Revision, c.Actor.Name))
		}
		if !history.Item.History.PageInfo.HasNextPage {
			break
		}
		after = history.Item.History.PageInfo.EndCursor
	}
	if want := []string{"TRIGGERED4Administrator", "UPDATED4Administrator", "UPDATED3Administrator",
		"UPDATED2Administrator", "CREATED1Administrator"}; !slices.Equal(seen, want) {
		t.Errorf("the history is %q", seen)
	}
	n.GraphQL(`mutation ($id: ID!) { deleteItem(id: $id, ifRevision: 4) { id } }`, nodetest.Vars{"id": id})
	if data := n.GraphQL(`query ($id: ID!) { item(id: $id) { id } }`,
		nodetest.Vars{"id": id}); string(data) != `{"item":null}` {
		t.Errorf("deleted: %s", data)
	}
}
