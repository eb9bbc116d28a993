package node_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"itemcast/internal/node/nodetest"
)

// Nothing of another account is shown by id, in lists, exports, tags, counts, hooks, feeds or subscriptions.
func TestTenancy_AnotherAccountsDataDoesNotExist(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	stranger := n.CreateStranger()
	strangersURL, strangersDeliveries := nodetest.StartReceiver(t)
	stranger.Call(http.MethodPost, "/api/v1/hooks",
		`{"url":"`+strangersURL+`","events":["item.created","item.updated","item.deleted","item.triggered"]}`).
		WantStatus(t, http.StatusCreated)
	strangersEvents := stranger.Subscribe(nodetest.FollowQuery, nil)
	searching := stranger.Subscribe(`subscription { itemChanges(filter: {tags: ["mine"]}) { cursor kind revision document } }`, nil)

	field := n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	hook := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"https://example.com/","active":false}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	token := n.Call(http.MethodPost, "/api/v1/tokens", `{"name":"Mine","permissions":["items.view"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	item := n.Call(http.MethodPost, "/api/v1/items", `{"name":"Mine","tags":["mine"],"metadata":{"year":1927}}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")

	n.WantNoWrites(func() {
		for _, id := range []string{item, hook, field, token} {
			stranger.ForEachRoute(id, func(name string,
				got nodetest.Response) {
				got.WantProblem(t, name, http.StatusNotFound, "NOT_FOUND")
			})
		}
		if got := stranger.Call(http.MethodGet, "/api/v1/items?count=true", "").
			WantStatus(t, http.StatusOK); string(got.Body) != `{"results":[],"next":null,"previous":null,"count":0}` {
			t.Errorf("the list shows %s", got.Body)
		}
		for path, want := range map[string]string{"/items/export": "", "/tags": `{"results":[]}`,
			"/metadata-fields": `{"results":[]}`} {
			if got := stranger.Call(http.MethodGet, "/api/v1"+path, "").
				WantStatus(t, http.StatusOK); string(bytes.TrimSpace(got.Body)) != want {
				t.Errorf("%s shows %s", path, got.Body)
			}
		}
		if got := stranger.Call(http.MethodGet, "/api/v1/hooks", "").
			WantStatus(t, http.StatusOK); bytes.Contains(got.Body, []byte("example.com/")) {
			t.Errorf("the hooks show %s", got.Body)
		}
		if got := stranger.Call(http.MethodGet, "/api/v1/tokens", "").
			WantStatus(t, http.StatusOK); bytes.Contains(got.Body, []byte(token)) {
			t.Errorf("the tokens show %s", got.Body)
		}
		stranger.Call(http.MethodGet, "/api/v1/items?metadata.year=1927", "").
			WantProblem(t, "another account's field", http.StatusBadRequest, "INVALID_INPUT")
		stranger.Call(http.MethodPost, "/api/v1/items", `{"name":"x","metadata":{"year":1}}`).
			WantProblem(t, "another account's field", http.StatusUnprocessableEntity, "RULE_VIOLATED")

		var got map[string]json.RawMessage
		data := stranger.GraphQL(`query ($i: ID!, $h: ID!) { item(id: $i) { id } hook(id: $h) { id } items { nodes { id } totalCount } tags { name } metadataFields { key } }`,
			map[string]string{"i": item, "h": hook})
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"item": "null", "hook": "null", "items": `{"nodes":[],"totalCount":0}`,
			"tags": "[]", "metadataFields": "[]"} {
			if string(got[name]) != want {
				t.Errorf("%s shows %s", name, got[name])
			}
		}
		for _, mutation := range []string{
			`mutation ($id: ID!) { updateItem(id: $id, input: {name: "x"}) { item { id } } }`,
			`mutation ($id: ID!) { replaceItem(id: $id, input: {name: "x"}) { item { id } } }`,
			`mutation ($id: ID!) { deleteAsset(itemId: $id, assetId: $id) { item { id } } }`,
			`mutation ($id: ID!) { deleteSnapshot(itemId: $id, snapshotId: $id) { item { id } } }`,
			`mutation ($id: ID!) { setPoster(itemId: $id, snapshotId: $id) { item { id } } }`,
			`mutation ($id: ID!) { deleteItem(id: $id) { id } }`, `mutation ($id: ID!) { triggerItemHook(id: $id) { itemId } }`,
			`mutation ($id: ID!) { deleteHook(id: $id) { id } }`, `mutation ($id: ID!) { revokeAccessToken(id: $id) { id } }`,
			`mutation ($id: ID!) { rotateAccessToken(id: $id) { secret } }`,
			`mutation ($id: ID!) { updateAccessToken(id: $id, input: {name: "x"}) { accessToken { id } } }`,
			`mutation ($id: ID!) { deleteMetadataField(id: $id) { id } }`,
			`mutation ($id: ID!) { updateMetadataField(id: $id, input: {label: "x"}) { metadataField { id } } }`,
		} {
			for _, id := range []string{item, hook, field, token} {
				if _, codes := stranger.TryGraphQL(mutation, map[string]string{"id": id}); len(codes) != 1 ||
					codes[0] != "NOT_FOUND" {
					t.Errorf("%s: %q", mutation, codes)
				}
			}
		}
	})

	// An import with the id of another account's item neither changes the item nor reveals it.
	before := n.Call(http.MethodGet, "/api/v1/items/"+item, "").WantStatus(t, http.StatusOK)
	imported := stranger.Call(http.MethodPost, "/api/v1/items/import", `{"id":"`+item+`","name":"Theirs"}`, "Content-Type",
		"application/x-ndjson").WantStatus(t, http.StatusOK)
	imported.WantNoInternals(t, "import")
	if after := n.Call(http.MethodGet, "/api/v1/items/"+item, "").
		WantStatus(t, http.StatusOK); !bytes.Equal(before.Body, after.Body) {
		t.Errorf("an import changed another account's item: %s", after.Body)
	}

	// The stranger's first event is their own.
	n.Call(http.MethodDelete, "/api/v1/items/"+item, "").WantStatus(t, http.StatusNoContent)
	own := stranger.Call(http.MethodPost, "/api/v1/items", `{"name":"Theirs","tags":["mine"]}`).
		WantStatus(t, http.StatusCreated)
	for name, event := range map[string]nodetest.Event{"subscription": strangersEvents.ReceiveEvent(),
		"filtered subscription": searching.ReceiveEvent()} {
		if !bytes.Equal(event.Document, own.Body) {
			t.Errorf("the %s has %s", name, event.Document)
		}
	}
	if got := nodetest.Next(t, strangersDeliveries); !bytes.Equal(got.Body, own.Body) {
		t.Errorf("the hook has %s", got.Body)
	}
}

func TestTenancy_IdempotencyKeysBelongToTheirUser(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	first := n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "k").
		WantStatus(t, http.StatusCreated)
	second := n.CreateStranger().Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "k").
		WantStatus(t, http.StatusCreated)
	if first.Field(t, "id") == second.Field(t, "id") || second.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("another account got %s", second.Body)
	}
}
