package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// Relay takes every list of the schema: each connection has edges with cursors, beside nodes.
func TestRelay_EveryConnectionHasEdges(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := n.CreateItem(`{"name":"a"}`)
	for i := range 3 {
		n.PatchItem(item, fmt.Sprintf(`{"name":"b%d"}`, i))
		n.CreateItem(`{"name":"c"}`)
		n.CreateProfile(fmt.Sprintf("profile %d", i))
		n.CreateUser(fmt.Sprintf("user%d@example.com", i), n.CreateRole(fmt.Sprintf("role %d", i)))
		n.InsertToken(nodetest.Token{})
	}
	hook := n.CreateHook(`{"url":"https://example.com/","events":["item.updated"]}`)
	n.CreateHook(`{"url":"https://example.com/2"}`)
	n.CreateHook(`{"url":"https://example.com/3"}`)
	start := n.Changes("").Cursor
	for i := range 3 {
		n.PatchItem(item, fmt.Sprintf(`{"name":"d%d"}`, i))
	}
	n.AwaitChanges(start, 3)
	awaitDeliveries(t, n, hook, 3)
	lists := map[string]string{
		"items": `items(%s) { %s }`, "hooks": `hooks(%s) { %s }`, "users": `users(%s) { %s }`, "roles": `roles(%s) { %s }`,
		"accessTokens": `accessTokens(%s) { %s }`,
		"audit":        `audit(%s) { %s }`, "workflowProfiles": `workflowProfiles(%s) { %s }`,
		"deliveries": `deliveries(hookId: "` + nodetest.PathID(hook) + `", %s) { %s }`,
		"history":    `item(id: "` + item + `") { history(%s) { %s } }`,
	}
	for name, list := range lists {
		id := "id"
		if name == "history" {
			id = "revision"
		}
		read := func(arguments string) (page relayPage) {
			t.Helper()
			query := fmt.Sprintf(list, arguments, `edges { cursor node { x: `+id+` } } nodes { x: `+id+` } pageInfo { hasNextPage startCursor endCursor }`)
			if err := json.Unmarshal(connectionOf(t, n.GraphQL(`{ `+query+` }`, nil), name), &page); err != nil {
				t.Fatal(err)
			}
			for i, edge := range page.Edges {
				if string(edge.Node.X) != string(page.Nodes[i].X) || edge.Cursor == "" {
					t.Errorf("%s: edge %d is %+v, the node %+v", name, i, edge, page.Nodes[i])
				}
			}
			return page
		}
		all := read("first: 3")
		if len(all.Edges) != 3 || len(all.Nodes) != 3 || all.PageInfo.StartCursor != all.Edges[0].Cursor ||
			all.PageInfo.EndCursor != all.Edges[2].Cursor {
			t.Fatalf("%s: got %+v", name, all)
		}
		rest := read(`first: 2, after: "` + all.Edges[0].Cursor + `"`)
		if len(rest.Edges) != 2 || !slices.EqualFunc(rest.Edges, all.Edges[1:], func(a, b relayEdge) bool {
			return a.Cursor == b.Cursor && string(a.Node.X) == string(b.Node.X)
		}) {
			t.Errorf("%s: after its first edge %+v, want %+v", name, rest.Edges, all.Edges[1:])
		}
	}
}

type (
	relayPage struct {
		Edges    []relayEdge
		Nodes    []relayNode
		PageInfo struct {
			HasNextPage            bool
			StartCursor, EndCursor string
		}
	}
	relayEdge struct {
		Cursor string
		Node   relayNode
	}
	relayNode struct{ X json.RawMessage }
)

// connectionOf returns the member of a name, at any depth.
func connectionOf(t *testing.T, data json.RawMessage, name string) json.RawMessage {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if found, ok := members[name]; ok {
		return found
	}
	for _, member := range members {
		return connectionOf(t, member, name)
	}
	t.Fatalf("%s has no %s", data, name)
	return nil
}

// The schema's connections have the form that the Relay specification demands, and its nodes are what node returns.
func TestRelay_TheSchemaIsOfItsForm(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	var got struct {
		Schema struct {
			Types []struct {
				Name          string
				Fields        []struct{ Name string }
				Interfaces    []struct{ Name string }
				PossibleTypes []struct{ Name string }
			}
		} `json:"__schema"`
	}
	data := n.GraphQL(`{ __schema { types { name fields { name } interfaces { name } possibleTypes { name } } } }`, nil)
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	connections := 0
	for _, of := range got.Schema.Types {
		var names []string
		for _, field := range of.Fields {
			names = append(names, field.Name)
		}
		has := func(wanted ...string) bool {
			return !slices.ContainsFunc(wanted, func(name string) bool { return !slices.Contains(names, name) })
		}
		switch {
		case strings.HasSuffix(of.Name, "Connection"):
			connections++
			if !has("edges", "nodes", "pageInfo") {
				t.Errorf("%s has %v", of.Name, names)
			}
		case strings.HasSuffix(of.Name, "Edge"):
			if !has("cursor", "node") {
				t.Errorf("%s has %v", of.Name, names)
			}
		case slices.Contains(names, "pageInfo"):
			t.Errorf("%s is a connection by another name", of.Name)
		case of.Name == "Node":
			var types []string
			for _, one := range of.PossibleTypes {
				types = append(types, one.Name)
			}
			want := []string{"AccessToken", "AccountUser", "Delivery", "Hook", "Item", "MetadataField", "Role", "WorkflowProfile"}
			if slices.Sort(types); !slices.Equal(types, want) {
				t.Errorf("Node is implemented by %v, want %v", types, want)
			}
		}
	}
	if connections != 13 {
		t.Errorf("%d connections", connections)
	}
}

// The field node returns an object of each type by its id, with fragments on the type and on the interface.
func TestRelay_NodeReturnsEachType(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := n.CreateItem(`{"name":"a"}`)
	hook := n.CreateHook(`{"url":"https://example.com/","events":["item.updated"]}`)
	n.PatchItem(item, `{"name":"b"}`)
	field := n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).Field(t, "id")
	for of, id := range map[string]string{
		"Item": item, "Hook": nodetest.PathID(hook), "Role": n.RoleID("Administrator"), "MetadataField": field,
		"AccountUser": n.UserID(nodetest.AdminEmail), "WorkflowProfile": n.CreateProfile("p"),
		"Delivery": awaitDeliveries(t, n, hook, 1)[0],
	} {
		want := `{"node":{"__typename":"` + of + `","id":"` + id + `","same":"` + id + `","own":"` + id + `"}}`
		for _, selection := range []string{
			`__typename id ... on Node { same: id } ... on ` + of + ` { own: id }`,
			`... on Node { __typename id same: id own: id }`, `__typename id ...node ...own`,
		} {
			query := `{ node(id: "` + id + `") { ` + selection + ` } }`
			if strings.Contains(selection, "...own") {
				query += ` fragment node on Node { same: id } fragment own on ` + of + ` { own: id }`
			}
			if got := string(n.GraphQL(query, nil)); got != want {
				t.Errorf("%s: got %s, want %s", query, got, want)
			}
		}
	}
	for _, other := range []string{"01890a5d-ac96-774b-bcce-b302099a8057", "00000000-0000-0000-0000-000000000000"} {
		if got := string(n.GraphQL(`{ node(id: "`+other+`") { id } }`, nil)); got != `{"node":null}` {
			t.Errorf("an unknown id: %s", got)
		}
	}
	if got, codes := n.TryGraphQL(`{ node(id: "x") { id } }`, nil); !slices.Equal(codes, []string{"INVALID_INPUT"}) {
		t.Errorf("no id: %s", got.Body)
	}
}

// awaitDeliveries waits for a hook's deliveries and returns their ids.
func awaitDeliveries(t *testing.T, n *nodetest.Node, hookPath string, count int) (ids []string) {
	t.Helper()
	nodetest.Eventually(t, "the hook has its deliveries", func() bool {
		var got struct {
			Deliveries struct{ Nodes []struct{ ID string } }
		}
		data := n.GraphQL(`{ deliveries(hookId: "`+nodetest.PathID(hookPath)+`") { nodes { id } } }`, nil)
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		ids = nil
		for _, node := range got.Deliveries.Nodes {
			ids = append(ids, node.ID)
		}
		return len(ids) >= count
	})
	return ids
}
