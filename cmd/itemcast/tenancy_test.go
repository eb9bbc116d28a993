package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
)

const strangerEmail = "stranger@example.com"

// makeStranger makes an administrator of another account; the password is the first administrator's.
func (n *testNode) makeStranger() {
	n.t.Helper()
	hash, err := account.HashPassword(n.t.Context(), adminPassword)
	if err != nil {
		n.t.Fatal(err)
	}
	other, role := uuid.New(), uuid.New()
	for _, err := range []error{
		dbtest.InsertAccount(n.t.Context(), n.pool, other, "Other"),
		dbtest.InsertRole(n.t.Context(), n.pool, role, other, "Administrator", account.All().Strings()...),
		dbtest.InsertUser(n.t.Context(), n.pool, dbtest.User{ID: uuid.New(), Account: other, Role: role, Email: strangerEmail, Name: "Stranger", PasswordHash: hash}),
	} {
		if err != nil {
			n.t.Fatal(err)
		}
	}
}

func basic(email, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(email+":"+password))
}

func (n *apiClient) exec(query string, variables any) (data json.RawMessage, codes []string) {
	n.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		n.t.Fatal(err)
	}
	return n.call(http.MethodPost, "/graphql", string(body)).graphQL(n.t)
}

// What another account owns does not exist: not by id, not in lists, exports, tags, counts, hooks, feeds or subscriptions.
func TestTenancy_AnotherAccountsThingsDoNotExist(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.makeStranger()
	stranger := n.as(strangerEmail, adminPassword)
	strangersURL, strangersDeliveries := receiver(t)
	stranger.call(http.MethodPost, "/api/v1/hooks", `{"url":"`+strangersURL+`","events":["item.created","item.updated","item.deleted","item.triggered"]}`).expect(t, http.StatusCreated)
	strangersEvents := stranger.subscribe(follow, nil)
	searching := stranger.subscribe(`subscription { itemChanges(filter: {tags: ["mine"]}) { cursor kind revision document } }`, nil)

	field := n.call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).expect(t, http.StatusCreated).field(t, "id")
	hook := n.call(http.MethodPost, "/api/v1/hooks", `{"url":"https://example.com/","active":false}`).expect(t, http.StatusCreated).field(t, "id")
	item := n.call(http.MethodPost, "/api/v1/items", `{"name":"Mine","tags":["mine"],"metadata":{"year":1927}}`).expect(t, http.StatusCreated).field(t, "id")

	n.leavesNothing(func() {
		for _, id := range []string{item, hook, field} {
			everyRoute(stranger.call, id, func(name string, got answer) { got.refused(t, name, http.StatusNotFound, "NOT_FOUND") })
		}
		if got := stranger.call(http.MethodGet, "/api/v1/items?count=true", "").expect(t, http.StatusOK); string(got.body) != `{"results":[],"next":null,"previous":null,"count":0}` {
			t.Errorf("the list shows %s", got.body)
		}
		for path, want := range map[string]string{"/items/export": "", "/tags": `{"results":[]}`, "/metadata-fields": `{"results":[]}`} {
			if got := stranger.call(http.MethodGet, "/api/v1"+path, "").expect(t, http.StatusOK); string(bytes.TrimSpace(got.body)) != want {
				t.Errorf("%s shows %s", path, got.body)
			}
		}
		if got := stranger.call(http.MethodGet, "/api/v1/hooks", "").expect(t, http.StatusOK); bytes.Contains(got.body, []byte("example.com/")) {
			t.Errorf("the hooks show %s", got.body)
		}
		stranger.call(http.MethodGet, "/api/v1/items?metadata.year=1927", "").refused(t, "another account's field", http.StatusBadRequest, "INVALID_INPUT")
		stranger.call(http.MethodPost, "/api/v1/items", `{"name":"x","metadata":{"year":1}}`).refused(t, "another account's field", http.StatusUnprocessableEntity, "RULE_VIOLATED")

		var got map[string]json.RawMessage
		data, _ := stranger.exec(`query ($i: ID!, $h: ID!) { item(id: $i) { id } hook(id: $h) { id } items { nodes { id } totalCount } tags { name } metadataFields { key } }`,
			map[string]string{"i": item, "h": hook})
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"item": "null", "hook": "null", "items": `{"nodes":[],"totalCount":0}`, "tags": "[]", "metadataFields": "[]"} {
			if string(got[name]) != want {
				t.Errorf("%s shows %s", name, got[name])
			}
		}
		for _, mutation := range []string{
			`mutation ($id: ID!) { updateItem(id: $id, input: {name: "x"}) { item { id } } }`, `mutation ($id: ID!) { replaceItem(id: $id, input: {name: "x"}) { item { id } } }`,
			`mutation ($id: ID!) { deleteItem(id: $id) { id } }`, `mutation ($id: ID!) { triggerItemHook(id: $id) { itemId } }`, `mutation ($id: ID!) { deleteHook(id: $id) { id } }`,
			`mutation ($id: ID!) { deleteMetadataField(id: $id) { id } }`, `mutation ($id: ID!) { updateMetadataField(id: $id, input: {label: "x"}) { metadataField { id } } }`,
		} {
			for _, id := range []string{item, hook, field} {
				if _, codes := stranger.exec(mutation, map[string]string{"id": id}); len(codes) != 1 || codes[0] != "NOT_FOUND" {
					t.Errorf("%s: %q", mutation, codes)
				}
			}
		}
	})

	// An import under an id that is another account's neither takes it over nor tells that it is there.
	before := n.call(http.MethodGet, "/api/v1/items/"+item, "").expect(t, http.StatusOK)
	imported := stranger.call(http.MethodPost, "/api/v1/items/import", `{"id":"`+item+`","name":"Theirs"}`, "Content-Type", "application/x-ndjson").expect(t, http.StatusOK)
	imported.leaksNothing(t, "import")
	if after := n.call(http.MethodGet, "/api/v1/items/"+item, "").expect(t, http.StatusOK); !bytes.Equal(before.body, after.body) {
		t.Errorf("an import changed another account's item: %s", after.body)
	}

	// The first that the stranger hears of is their own.
	n.call(http.MethodDelete, "/api/v1/items/"+item, "").expect(t, http.StatusNoContent)
	own := stranger.call(http.MethodPost, "/api/v1/items", `{"name":"Theirs","tags":["mine"]}`).expect(t, http.StatusCreated)
	for name, event := range map[string]event{"subscription": strangersEvents.event(), "filtered subscription": searching.event()} {
		if !bytes.Equal(event.Document, own.body) {
			t.Errorf("the %s tells %s", name, event.Document)
		}
	}
	if got := next(t, strangersDeliveries); !bytes.Equal(got.body, own.body) {
		t.Errorf("the hook tells %s", got.body)
	}
}

// A user's kept answers are the user's: the same key of another does its own work.
func TestTenancy_IdempotencyKeysAreEachUsersOwn(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.makeStranger()
	first := n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "k").expect(t, http.StatusCreated)
	second := n.as(strangerEmail, adminPassword).call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "k").expect(t, http.StatusCreated)
	if first.field(t, "id") == second.field(t, "id") || second.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("another account got %s", second.body)
	}
}
