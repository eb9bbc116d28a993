package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/node/nodetest"
)

// makeToken makes an access token of a user, and returns its path and a client that uses it.
func makeToken(t *testing.T, owner *nodetest.Client, filter string, permissions ...string) (path string, by *nodetest.Client) {
	t.Helper()
	input, err := json.Marshal(map[string]any{"name": "token " + uuid.NewString(), "permissions": permissions, "filter": json.RawMessage(filter)})
	if err != nil {
		t.Fatal(err)
	}
	made := owner.Call(http.MethodPost, "/api/v1/tokens", string(input)).WantStatus(t, http.StatusCreated)
	return "/api/v1/tokens/" + made.Field(t, "id"), owner.WithAuthorization("Bearer " + made.Field(t, "secret"))
}

var writing = []string{"items.view", "items.create", "items.edit", "items.delete"}

// What a token's filter hides does not exist, at any door: neither its id, name, tags and history, nor in a count.
func TestTokens_WhatTheFilterHidesDoesNotExist(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, token := makeToken(t, n.Client, `{"tags":["rare"]}`, writing...)
	shown := n.CreateItem(`{"name":"Shown","tags":["rare","both"]}`)
	hidden := n.CreateItem(`{"name":"Secret","tags":["secret","both"]}`)
	stranger := n.CreateStranger()
	foreign := stranger.CreateItem(`{"name":"Secret","tags":["rare"]}`)
	nodetest.Eventually(t, "the history has the items", func() bool {
		return n.Call(http.MethodGet, "/api/v1/items/"+hidden+"/history", "").Status == http.StatusOK &&
			stranger.Call(http.MethodGet, "/api/v1/items/"+foreign+"/history", "").Status == http.StatusOK
	})
	n.WantNoWrites(func() {
		for _, c := range [][4]string{{"GET", "", ""}, {"GET", "", "", `"1"`}, {"PUT", "", `{"name":"x","tags":["rare"]}`},
			{"PATCH", "", `{"tags":["rare"]}`}, {"PATCH", "", `{"name":""}`}, {"PATCH", "", `{"name":"x"}`, `"7"`}, {"DELETE", "", "", `"7"`},
			{"DELETE", "", ""}, {"GET", "/history", ""}, {"POST", "/trigger-hook", ""}} {
			var bodies []string
			for _, id := range []string{hidden, foreign, uuid.NewString()} {
				header := []string{}
				if c[3] != "" {
					header = []string{map[bool]string{true: "If-None-Match", false: "If-Match"}[c[0] == "GET"], c[3]}
				}
				got := token.Call(c[0], "/api/v1/items/"+id+c[1], c[2], header...).WantProblem(t, c[0]+c[1], http.StatusNotFound, "NOT_FOUND")
				if got.Header.Get("ETag") != "" {
					t.Errorf("%s: ETag %s", c[0]+c[1], got.Header.Get("ETag"))
				}
				bodies = append(bodies, strings.ReplaceAll(string(got.Body), id, "ID"))
			}
			if bodies[0] != bodies[1] || bodies[0] != bodies[2] {
				t.Errorf("%s: told apart: %s", c[0]+c[1], bodies)
			}
		}
		for path, count := range map[string]int{"/items?count=true": 1, "/items?count=true&sort=name&tags=both": 1, "/items?search=secret&count=true": 0,
			"/items?tags=secret&count=true": 0, "/items?search=shown&sort=relevance&count=true": 1, "/items/export": -1, "/items/export?tags=secret": -1,
			"/tags": -1, "/changes": -1} {
			got := string(token.Call(http.MethodGet, "/api/v1"+path, "").WantStatus(t, http.StatusOK).Body)
			if strings.Contains(strings.ToLower(got), "secret") || strings.Contains(got, hidden) || strings.Contains(got, foreign) {
				t.Errorf("%s shows %s", path, got)
			}
			if count >= 0 && !strings.Contains(got, fmt.Sprintf(`"count":%d`, count)) {
				t.Errorf("%s counts %s", path, got)
			}
		}
		data := token.GraphQL(`query ($id: ID!, $shown: ID!) {
			item(id: $id) { name } node(id: $id) { id } shown: node(id: $shown) { ... on Item { name history { nodes { revision actor { name } } } } }
			items { nodes { name } totalCount } found: items(filter: {search: "secret"}) { totalCount } tags { name items } }`,
			nodetest.Vars{"id": hidden, "shown": shown})
		if string(data) != `{"item":null,"node":null,"shown":{"name":"Shown","history":{"nodes":[{"revision":1,"actor":{"name":"Administrator"}}]}},`+
			`"items":{"nodes":[{"name":"Shown"}],"totalCount":1},"found":{"totalCount":0},"tags":[{"name":"both","items":1},{"name":"rare","items":1}]}` {
			t.Errorf("GraphQL shows %s", data)
		}
		for _, mutation := range []string{`updateItem(id: $id, input: {tags: ["rare"]}) { item { id } }`, `deleteItem(id: $id, ifRevision: 7) { id }`,
			`triggerItemHook(id: $id) { revision }`, `replaceItem(id: $id, input: {name: "x", tags: ["rare"]}) { item { id } }`} {
			if _, codes := token.TryGraphQL(`mutation ($id: ID!) { `+mutation+` }`, nodetest.Vars{"id": hidden}); !slices.Equal(codes, []string{"NOT_FOUND"}) {
				t.Errorf("%s: %v", mutation, codes)
			}
		}
	})
}

// Hooks, users, roles and the audit log would show what the filter hides.
func TestTokens_WithAFilterReachNoOtherDoor(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, token := makeToken(t, n.Client, `{"tags":["rare"]}`, writing...)
	for _, path := range []string{"/hooks", "/deliveries", "/users", "/roles", "/audit", "/tokens", "/me/sessions"} {
		got := token.Call(http.MethodGet, "/api/v1"+path, "")
		if got.Status != http.StatusForbidden {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	for _, got := range []string{string(token.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK).Body),
		string(token.GraphQL(`{ me { email name permissions } }`, nil))} {
		if strings.Contains(got, "@") {
			t.Errorf("shows its owner's address: %s", got)
		}
	}
	for _, permission := range []string{"hooks.manage", "users.manage", "workflows.manage"} {
		n.Call(http.MethodPost, "/api/v1/tokens", `{"name":"t","permissions":["items.view","`+permission+`"],"filter":{"tags":["rare"]}}`).
			WantStatus(t, http.StatusUnprocessableEntity)
	}
}

func TestTokens_AWriteMustMatchBeforeAndAfter(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, token := makeToken(t, n.Client, `{"tags":["rare"],"type":["audio"]}`, writing...)
	token.Call(http.MethodPost, "/api/v1/items", `{"name":"n","tags":["rare"]}`).WantProblem(t, "create", http.StatusForbidden, "FORBIDDEN")
	id := token.CreateItem(`{"name":"n","tags":["rare"],"type":"audio"}`)
	n.WantNoWrites(func() {
		for _, patch := range []string{`{"tags":[]}`, `{"type":"video"}`, `{"tags":["other"],"type":"audio"}`} {
			got := token.Call(http.MethodPatch, "/api/v1/items/"+id, patch).WantProblem(t, patch, http.StatusForbidden, "FORBIDDEN")
			if !strings.Contains(string(got.Body), "filter") {
				t.Errorf("%s: %s", patch, got.Body)
			}
		}
		if _, codes := token.TryGraphQL(`mutation { createItem(input: {name: "n"}) { item { id } } }`, nil); !slices.Equal(codes, []string{"FORBIDDEN"}) {
			t.Errorf("GraphQL: %v", codes)
		}
	})
	token.Call(http.MethodPatch, "/api/v1/items/"+id, `{"name":"other","tags":["rare","more"]}`).WantStatus(t, http.StatusOK)
	report := token.Call(http.MethodPost, "/api/v1/items/import", `{"name":"in","tags":["rare"],"type":"audio"}`+"\n"+`{"name":"out"}`,
		"Content-Type", "application/x-ndjson").WantStatus(t, http.StatusOK)
	if !strings.Contains(string(report.Body), `"created":1`) || !strings.Contains(string(report.Body), `"rejected":1`) {
		t.Errorf("the import reports %s", report.Body)
	}
	token.Call(http.MethodDelete, "/api/v1/items/"+id, "").WantStatus(t, http.StatusNoContent)
}

// A follower by a token gets an item's changes while the item matches, ENTERED at first and LEFT at last, with the last
// document that matched: at every transport, from now on and from a cursor of others.
func TestTokens_FollowersSeeItemsComeAndGo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, token := makeToken(t, n.Client, `{"tags":["rare"]}`, "items.view")
	position := n.Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK).Header.Get("Itemcast-Change-Cursor")
	socket := token.Subscribe(nodetest.FollowQuery, nil)
	stream := token.StreamChanges("")
	stream.Begin()

	path := "/api/v1/items/" + n.CreateItem(`{"name":"secret"}`)
	patch := func(patch string) []byte {
		return n.Call(http.MethodPatch, path, patch).WantStatus(t, http.StatusOK).Body
	}
	entered := patch(`{"tags":["rare"],"name":"shown"}`)
	last := patch(`{"name":"shown again"}`)
	patch(`{"tags":["other"],"name":"secret again"}`)
	patch(`{"name":"more secret"}`)
	back := patch(`{"tags":["rare"],"name":"back"}`)
	n.Call(http.MethodDelete, path, "").WantStatus(t, http.StatusNoContent)

	want := []string{"ENTERED 2 " + string(entered), "UPDATED 3 " + string(last), "LEFT 4 " + string(last), "ENTERED 6 " + string(back), "DELETED 7 " + string(back)}
	check := func(name string, got []nodetest.Event) {
		t.Helper()
		for i, e := range got {
			if line := fmt.Sprint(e.Kind, " ", e.Revision, " ", string(e.Document)); line != want[i] {
				t.Errorf("%s: got %s, want %s", name, line, want[i])
			}
		}
	}
	var events []nodetest.Event
	for range want {
		events = append(events, socket.ReceiveEvent())
	}
	check("WebSocket", events)
	resumed := token.Subscribe(nodetest.FollowQuery, nodetest.Vars{"after": position})
	graphQLStream := token.Stream(http.MethodPost, "/graphql", `{"query":"subscription { itemChanges(after: \"`+position+`\") { cursor kind revision document } }"}`)
	var page, sent, fromCursor []nodetest.Event
	for _, c := range token.AwaitChanges(position, len(want)).Results {
		page = append(page, c.Event)
	}
	check("page", page)
	for range want {
		var e nodetest.Event
		if err := json.Unmarshal([]byte(stream.NextChange().Data), &e); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, e)
		fromCursor = append(fromCursor, resumed.ReceiveEvent())
	}
	check("event stream", sent)
	check("resumed", fromCursor)
	var byGraphQL []nodetest.Event
	for len(byGraphQL) < len(want) {
		e := nodetest.Next(t, graphQLStream.Events)
		var response struct {
			Data struct{ ItemChanges nodetest.Event }
		}
		if e.Name != "next" {
			continue
		}
		if err := json.Unmarshal([]byte(e.Data), &response); err != nil {
			t.Fatal(err)
		}
		byGraphQL = append(byGraphQL, response.Data.ItemChanges)
	}
	check("GraphQL over events", byGraphQL)
	history := token.Call(http.MethodGet, path+"/history", "").WantStatus(t, http.StatusOK)
	if strings.Contains(string(history.Body), "secret") || !strings.Contains(string(history.Body), "shown again") {
		t.Errorf("the history shows %s", history.Body)
	}
}

// A filter that changes under an open subscription applies within a second, without a reconnect of an event stream.
func TestTokens_AChangedFilterAppliesToOpenSubscriptions(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path, token := makeToken(t, n.Client, `{"tags":["one"]}`, "items.view")
	socket := token.Subscribe(nodetest.FollowQuery, nil)
	stream := token.StreamChanges("")
	stream.Begin()
	n.CreateItem(`{"name":"first","tags":["one"]}`)
	if e := stream.NextChange(); !strings.Contains(e.Data, "first") {
		t.Errorf("got %s", e.Data)
	}
	n.Call(http.MethodPatch, path, `{"filter":{"tags":["two"]}}`).WantStatus(t, http.StatusOK)
	if code, reason := socket.AwaitClose(); code != 1001 {
		t.Errorf("the socket ends with %d %s", code, reason)
	}
	nodetest.Eventually(t, "the new filter applies to the stream", func() bool {
		n.CreateItem(`{"name":"second","tags":["two"]}`)
		select {
		case e := <-stream.Events:
			return strings.Contains(e.Data, "second")
		default:
			return false
		}
	})
	n.CreateItem(`{"name":"third","tags":["one"]}`)
	n.CreateItem(`{"name":"fourth","tags":["two"]}`)
	for fourth := false; !fourth; {
		e := nodetest.Next(t, stream.Events)
		if strings.Contains(e.Data, "third") {
			t.Fatalf("got %s", e.Data)
		}
		fourth = strings.Contains(e.Data, "fourth")
	}
}

// A retry with the key of a wider token, or after the filter has become narrower, is not given the kept answer.
func TestTokens_IdempotentAnswersAreNotShared(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path, wide := makeToken(t, n.Client, `null`, writing...)
	_, narrow := makeToken(t, n.Client, `{"tags":["rare"]}`, writing...)
	create := func(by *nodetest.Client) nodetest.Response {
		return by.Call(http.MethodPost, "/api/v1/items", `{"name":"secret"}`, "Idempotency-Key", "key-1")
	}
	create(wide).WantStatus(t, http.StatusCreated)
	create(narrow).WantProblem(t, "a narrow token", http.StatusForbidden, "FORBIDDEN")
	if got := create(wide).WantStatus(t, http.StatusCreated); got.Header.Get("Idempotent-Replayed") != "true" {
		t.Error("its own answer is not replayed")
	}
	n.Call(http.MethodPatch, path, `{"filter":{"tags":["rare"]}}`).WantStatus(t, http.StatusOK)
	nodetest.Eventually(t, "the filter applies", func() bool {
		return strings.Contains(string(wide.Call(http.MethodGet, "/api/v1/items?count=true", "").Body), `"count":0`)
	})
	if got := create(wide); got.Status == http.StatusCreated || strings.Contains(string(got.Body), `"revision"`) {
		t.Errorf("the kept answer is replayed: %d %s", got.Status, got.Body)
	}
}
