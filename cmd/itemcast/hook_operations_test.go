package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
)

// makeHook makes a hook over REST and returns its path.
func (n *apiClient) makeHook(settings string) string {
	n.t.Helper()
	return "/api/v1/hooks/" + n.call(http.MethodPost, "/api/v1/hooks", settings).expect(n.t, http.StatusCreated).field(n.t, "id")
}

func (n *apiClient) makeItem(fields string) string {
	n.t.Helper()
	return n.call(http.MethodPost, "/api/v1/items", fields).expect(n.t, http.StatusCreated).field(n.t, "id")
}

// object reads an answer's body.
func (a answer) object(t *testing.T) (members map[string]any) {
	t.Helper()
	if err := json.Unmarshal(a.body, &members); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return members
}

// results reads a list's.
func (a answer) results(t *testing.T) (results []map[string]any) {
	t.Helper()
	var list struct{ Results []map[string]any }
	if err := json.Unmarshal(a.body, &list); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return list.Results
}

func idOf(path string) string { return path[strings.LastIndex(path, "/")+1:] }

func TestHookOperations_OverREST(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	url, deliveries := receiver(t)
	made := n.call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","description":"mine","events":["item.created","item.updated"],"filter":{"tags":["a"],"metadata":{}},
		"changed_fields":["name","tags"],"headers":{"X-Own":"secret value"},"body":"thin","rate_limit":100,"max_in_flight":2}`).expect(t, http.StatusCreated)
	hook := "/api/v1/hooks/" + made.field(t, "id")
	if made.header.Get("Location") != n.url+hook || !strings.HasPrefix(made.field(t, "secret"), "whsec_") {
		t.Errorf("made %s at %s", made.body, made.header.Get("Location"))
	}
	patched := n.call(http.MethodPatch, hook, `{"headers":{"X-Own":"***","X-New":"other value"},"filter":{"search":"b"},"rate_limit":null}`).expect(t, http.StatusOK)
	for _, got := range []answer{made, patched, n.call(http.MethodGet, hook, ""), n.call(http.MethodGet, "/api/v1/hooks", "")} {
		if bytes.Contains(got.body, []byte("value")) {
			t.Errorf("a header's value is shown: %s", got.body)
		}
	}
	if got := patched.object(t); got["rate_limit"] != nil || fmt.Sprint(got["filter"]) != "map[search:b tags:[a]]" || fmt.Sprint(got["headers"]) != "map[X-New:*** X-Own:***]" || got["secret"] != nil {
		t.Errorf("patched %s", patched.body)
	}
	for body, place := range map[string]string{`{"rate_limit":0}`: "#/rate_limit", `{"events":[]}`: "#/events", `{"nope":1}`: "#/nope", `{"body":"fat"}`: "#/body"} {
		got := n.call(http.MethodPatch, hook, body).refused(t, body, http.StatusBadRequest, "INVALID_INPUT")
		if places := got.places(t); !slices.Equal(places, []string{place}) {
			t.Errorf("%s: faults at %q", body, places)
		}
	}
	item := n.makeItem(`{"name":"b","tags":["a"]}`)
	sent := next(t, deliveries)
	if want := fmt.Sprintf(`{"id":"%s","url":"%s/api/v1/items/%s","revision":1}`, item, n.url, item); string(sent.body) != want || sent.header.Get("X-Own") != "secret value" || sent.header.Get("X-New") != "other value" {
		t.Errorf("sent %s, %v", sent.body, sent.header)
	}
	delivery := "/api/v1/deliveries/" + sent.header.Get("webhook-id")
	await(t, func() bool { return n.call(http.MethodGet, delivery, "").field(t, "state") == "succeeded" })

	read := n.call(http.MethodGet, delivery, "").expect(t, http.StatusOK).object(t)
	if attempts := read["attempts"].([]any); len(attempts) != 1 || attempts[0].(map[string]any)["status"] != 200.0 || read["trigger"] != "hook" || read["item_id"] != item || read["hook_id"] != idOf(hook) {
		t.Errorf("the delivery is %v", read)
	}
	for _, path := range []string{hook + "/deliveries", "/api/v1/deliveries", "/api/v1/deliveries?hook=" + idOf(hook) + "&item=" + item + "&state=succeeded&occurred_after=2020-01-01T00:00:00Z"} {
		if got := n.call(http.MethodGet, path, "").expect(t, http.StatusOK).results(t); len(got) != 1 || got[0]["id"] != read["id"] || got[0]["attempts"] != nil {
			t.Errorf("%s lists %v", path, got)
		}
	}
	for query, place := range map[string]string{"state=done": "state", "item=7": "item", "occurred_after=now": "occurred_after", "limit=201": "limit", "hook=" + idOf(hook): "hook"} {
		got := n.call(http.MethodGet, hook+"/deliveries?"+query, "").refused(t, query, http.StatusBadRequest, "INVALID_INPUT")
		if places := got.places(t); !slices.Equal(places, []string{place}) {
			t.Errorf("%s: faults at %q", query, places)
		}
	}
	n.call(http.MethodGet, "/api/v1/deliveries?after=x", "").refused(t, "a place", http.StatusBadRequest, "INVALID_CURSOR")
	n.call(http.MethodGet, "/api/v1/deliveries?hook="+uuid.NewString(), "").refused(t, "no hook", http.StatusNotFound, "NOT_FOUND")

	again := n.call(http.MethodPost, delivery+"/redeliver", "").expect(t, http.StatusAccepted)
	if next(t, deliveries).header.Get("webhook-id") != again.field(t, "id") || again.field(t, "trigger") != "manual" {
		t.Errorf("redelivered %s", again.body)
	}
	for _, body := range []string{"", "{}"} {
		if got := n.call(http.MethodPost, hook+"/test", body).expect(t, http.StatusOK).object(t); got["delivered"] != true || got["event"] != "item.created" || got["item_id"] != item || got["fault"] != nil {
			t.Errorf("tested with %q: %v", body, got)
		}
		next(t, deliveries)
		if got := n.call(http.MethodPost, hook+"/rotate-secret", body).expect(t, http.StatusOK).object(t); got["old_secret_until"] == nil {
			t.Errorf("rotated with %q: %v", body, got)
		}
	}
	n.call(http.MethodPost, hook+"/test", `{"event":"item.made"}`).refused(t, "an event that there is not", http.StatusBadRequest, "INVALID_INPUT")
	n.call(http.MethodPost, hook+"/test", `{"item_id":"`+uuid.NewString()+`"}`).refused(t, "no item", http.StatusNotFound, "NOT_FOUND")
	if got := n.call(http.MethodPost, hook+"/rotate-secret", `{"revoke":true}`).expect(t, http.StatusOK).object(t); got["old_secret_until"] != nil {
		t.Errorf("revoked: %v", got)
	}

	n.call(http.MethodGet, hook+"/replay", "").refused(t, "before there was one", http.StatusNotFound, "NOT_FOUND")
	n.call(http.MethodPost, hook+"/replay", "").refused(t, "without a body", http.StatusBadRequest, "BAD_REQUEST")
	n.call(http.MethodPost, hook+"/replay", `{}`).refused(t, "from nowhere", http.StatusBadRequest, "INVALID_INPUT")
	n.call(http.MethodPost, hook+"/replay", `{"after":"x"}`).refused(t, "from nonsense", http.StatusBadRequest, "INVALID_CURSOR")
	begun := n.call(http.MethodPost, hook+"/replay", `{"since":"2020-01-01T00:00:00Z","rate":10}`).expect(t, http.StatusAccepted)
	if sent := next(t, deliveries); sent.header.Get("itemcast-trigger") != "replay" || sent.header.Get("webhook-id") != again.field(t, "id") {
		t.Errorf("replayed %v", sent.header)
	}
	await(t, func() bool { return n.call(http.MethodGet, hook+"/replay", "").object(t)["ended_at"] != nil })
	if got := n.call(http.MethodGet, hook+"/replay", "").object(t); got["id"] != begun.field(t, "id") || got["deliveries"] != 1.0 || got["looked_at"] != got["size"] {
		t.Errorf("the replay is %v", got)
	}
	n.call(http.MethodDelete, hook+"/replay", "").expect(t, http.StatusNoContent)
	n.call(http.MethodPatch, hook, `{"active":false}`).expect(t, http.StatusOK)
	n.call(http.MethodPost, hook+"/replay", `{"since":"2020-01-01T00:00:00Z"}`).refused(t, "inactive", http.StatusConflict, "CONFLICT")
	n.call(http.MethodPost, delivery+"/redeliver", "").refused(t, "inactive", http.StatusConflict, "CONFLICT")
	n.call(http.MethodDelete, hook, "").expect(t, http.StatusNoContent)
	for _, path := range []string{hook, hook + "/deliveries", hook + "/replay", delivery} {
		n.call(http.MethodGet, path, "").refused(t, path, http.StatusNotFound, "NOT_FOUND")
	}
}

// What is done once by a key is told again, and not done again.
func TestHookOperations_AnIdempotencyKeyDoesThemOnce(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	url, deliveries := receiver(t)
	hook := n.makeHook(`{"url":"` + url + `","events":["item.created"]}`)
	n.makeItem(`{"name":"a"}`)
	id := next(t, deliveries).header.Get("webhook-id")
	await(t, func() bool {
		return n.call(http.MethodGet, "/api/v1/deliveries/"+id, "").field(t, "state") == "succeeded"
	})
	triggers := map[string]int{}
	for _, c := range [][3]string{
		{"/api/v1/hooks", `{"url":"https://example.com/"}`, ""}, {hook + "/rotate-secret", "", ""}, {hook + "/test", `{}`, "test"},
		{hook + "/replay", `{"since":"2020-01-01T00:00:00Z"}`, "replay"}, {"/api/v1/deliveries/" + id + "/redeliver", "", "manual"},
	} {
		first := n.call(http.MethodPost, c[0], c[1], "Idempotency-Key", "k "+c[0])
		again := n.call(http.MethodPost, c[0], c[1], "Idempotency-Key", "k "+c[0])
		if first.status >= 300 || again.status != first.status || !bytes.Equal(first.body, again.body) || again.header.Get("Idempotent-Replayed") == "" {
			t.Errorf("%s: first %d %s, then %d %s", c[0], first.status, first.body, again.status, again.body)
		}
		if c[2] != "" {
			triggers[next(t, deliveries).header.Get("itemcast-trigger")]++
		}
		await(t, func() bool { return n.call(http.MethodGet, hook, "").object(t)["pending"] == 0.0 })
	}
	if len(deliveries) > 0 || triggers["test"] != 1 || triggers["replay"] != 1 || triggers["manual"] != 1 {
		t.Errorf("sent %v, and %d more", triggers, len(deliveries))
	}
}

// snake names the members of what GraphQL tells as REST does.
var snake = strings.NewReplacer("createdAt", "created_at", "updatedAt", "updated_at", "changedFields", "changed_fields", "rateLimit", "rate_limit", "maxInFlight", "max_in_flight",
	"disabledReason", "disabled_reason", "oldSecretUntil", "old_secret_until", "lastSuccessAt", "last_success_at", "lastFailureAt", "last_failure_at", "failingSince", "failing_since",
	"lastError", "last_error", "hookId", "hook_id", "itemId", "item_id", "waitsFor", "waits_for", "nextAttemptAt", "next_attempt_at", "attemptCount", "attempt_count",
	"lastAttemptAt", "last_attempt_at", "lastStatus", "last_status", "lastFault", "last_fault", "occurredAt", "occurred_at", "lookedAt", "looked_at", "startedAt", "started_at", "endedAt", "ended_at",
	`"duration"`, `"duration_ms"`, "ITEM_", "item.")

func TestHookOperations_GraphQLTellsWhatRESTTells(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no, thanks", http.StatusTeapot) }))
	t.Cleanup(failing.Close)
	const settings = `id url description events changedFields headerNames body rateLimit maxInFlight active disabledReason oldSecretUntil lastSuccessAt lastFailureAt failingSince lastError pending createdAt updatedAt`
	var made struct {
		CreateHook struct {
			Secret string
			Hook   struct{ ID string }
		}
	}
	data := n.graphql(`mutation ($i: CreateHookInput!) { createHook(input: $i) { secret hook { `+settings+` } } }`, vars{"i": vars{"url": failing.URL, "description": "d", "events": []string{"ITEM_CREATED", "ITEM_UPDATED"},
		"changedFields": []string{"NAME", "CLIENT_DATA"}, "headers": []vars{{"name": "X-Own", "value": "v"}, {"name": "X-Other", "value": "w"}}, "body": "FULL", "rateLimit": 7, "maxInFlight": 3,
		"filter": vars{"tags": []string{"a"}, "types": []string{"VIDEO"}, "search": "b"}}})
	if err := json.Unmarshal(data, &made); err != nil || !strings.HasPrefix(made.CreateHook.Secret, "whsec_") {
		t.Fatalf("%s, %v", data, err)
	}
	hook := made.CreateHook.Hook.ID
	item := n.makeItem(`{"name":"b","tags":["a"]}`)
	n.call(http.MethodPatch, "/api/v1/items/"+item, `{"name":"b c"}`).expect(t, http.StatusOK)
	await(t, func() bool {
		got := n.call(http.MethodGet, "/api/v1/hooks/"+hook, "").object(t)
		return got["failing_since"] != nil && got["pending"] == 2.0
	})
	same := func(what string, graph any, rest map[string]any, but ...string) {
		t.Helper()
		raw, err := json.Marshal(graph)
		if err != nil {
			t.Fatal(err)
		}
		var told map[string]any
		if err := json.Unmarshal([]byte(snake.Replace(string(raw))), &told); err != nil {
			t.Fatal(err)
		}
		for name, want := range rest {
			got := told[name]
			if slices.Contains(but, name) {
				continue
			}
			if a, b := strings.ToLower(fmt.Sprint(got)), strings.ToLower(fmt.Sprint(want)); a != b {
				t.Errorf("%s: %s is %v over GraphQL, %v over REST", what, name, got, want)
			}
		}
	}
	const delivery = `id hookId itemId cursor event trigger revision state waitsFor nextAttemptAt attemptCount lastAttemptAt lastStatus lastFault lastError createdAt occurredAt
		attempts { number at duration trigger succeeded status fault error response }`
	var got struct {
		Hook struct {
			Deliveries struct{ Nodes []map[string]any }
			Filter     map[string]any
			Names      []string `json:"headerNames"`
		}
		Whole      map[string]any
		Deliveries struct{ Nodes []map[string]any }
		Delivery   map[string]any
	}
	first := n.call(http.MethodGet, "/api/v1/hooks/"+hook+"/deliveries?limit=1&item="+item, "").expect(t, http.StatusOK)
	oldest := n.call(http.MethodGet, "/api/v1/deliveries?state=pending", "").expect(t, http.StatusOK).results(t)
	if len(oldest) != 2 || first.link(t, "next") == nil {
		t.Fatalf("listed %v, then %s", oldest, first.body)
	}
	failed := oldest[1]["id"].(string)
	data = n.graphql(`query ($h: ID!, $i: ID!, $d: ID!) { hook(id: $h) { headerNames filter { search tags types } deliveries(itemId: $i, state: PENDING) { nodes { `+delivery+` } } }
		whole: hook(id: $h) { `+settings+` } deliveries(hookId: $h, first: 1) { nodes { id } pageInfo { hasNextPage endCursor } } delivery(id: $d) { `+delivery+` } }`, vars{"h": hook, "i": item, "d": failed})
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	same("the hook", got.Whole, n.call(http.MethodGet, "/api/v1/hooks/"+hook, "").object(t), "filter", "headers")
	if !slices.Equal(got.Hook.Names, []string{"X-Other", "X-Own"}) || fmt.Sprint(got.Hook.Filter) != "map[search:b tags:[a] types:[VIDEO]]" || len(got.Hook.Deliveries.Nodes) != 2 || len(got.Deliveries.Nodes) != 1 {
		t.Errorf("got %s", data)
	}
	rest := n.call(http.MethodGet, "/api/v1/deliveries/"+failed, "").object(t)
	same("the delivery", got.Delivery, rest, "attempts")
	same("the attempt", got.Delivery["attempts"].([]any)[0], rest["attempts"].([]any)[0].(map[string]any))
	if rest["attempts"].([]any)[0].(map[string]any)["response"] != "no, thanks\n" || rest["last_error"] != "The answer was 418 I'm a teapot" || rest["waits_for"] != "retry" {
		t.Errorf("the delivery is %v", rest)
	}

	update := func(input vars) map[string]any {
		t.Helper()
		n.graphql(`mutation ($id: ID!, $i: UpdateHookInput!) { updateHook(id: $id, input: $i) { hook { id } } }`, vars{"id": hook, "i": input})
		return n.call(http.MethodGet, "/api/v1/hooks/"+hook, "").object(t)
	}
	if got := update(vars{"headers": []vars{{"name": "X-Own", "value": nil}, {"name": "X-New", "value": "x"}}, "filter": vars{"tags": []string{"z"}}, "rateLimit": nil}); fmt.Sprint(got["headers"], got["filter"], got["rate_limit"], got["max_in_flight"]) !=
		"map[X-New:*** X-Other:***] map[tags:[z]] <nil> 3" {
		t.Errorf("updated: %v", got)
	}
	if got := update(vars{"headers": nil, "filter": nil, "changedFields": nil, "events": nil, "active": nil, "body": nil, "maxInFlight": nil, "description": nil}); fmt.Sprint(got["headers"], got["filter"], got["changed_fields"],
		got["events"], got["active"], got["max_in_flight"]) != "map[] <nil> <nil> [item.updated item.deleted item.triggered] true <nil>" || got["body"] != "full" || got["description"] != "" {
		t.Errorf("emptied by null: %v", got)
	}

	var tested struct{ TestHook map[string]any }
	data = n.graphql(`mutation ($id: ID!, $i: ID) { testHook(id: $id, itemId: $i, event: ITEM_DELETED) { delivered webhookId itemId event revision status duration fault error response } }`, vars{"id": hook, "i": item})
	if err := json.Unmarshal(data, &tested); err != nil || tested.TestHook["delivered"] != false || tested.TestHook["status"] != 418.0 || tested.TestHook["event"] != "ITEM_DELETED" || tested.TestHook["fault"] != "status" {
		t.Errorf("tested: %s, %v", data, err)
	}
	data = n.graphql(`mutation ($id: ID!) { rotateHookSecret(id: $id) { secret oldSecretUntil } again: rotateHookSecret(id: $id, revoke: true) { oldSecretUntil } }`, vars{"id": hook})
	if !strings.Contains(string(data), `"whsec_`) || !strings.Contains(string(data), `"again":{"oldSecretUntil":null}`) {
		t.Errorf("rotated: %s", data)
	}
	const replay = `id from position to since rate lookedAt size deliveries startedAt endedAt error`
	n.graphql(`mutation ($id: ID!) { replayHook(id: $id, since: "2020-01-01T00:00:00Z", rate: 1) { replay { id } } }`, vars{"id": hook})
	n.graphql(`mutation ($id: ID!) { stopHookReplay(id: $id) { id } }`, vars{"id": hook})
	var replayed struct {
		Hook struct{ Replay map[string]any }
	}
	if err := json.Unmarshal(n.graphql(`query ($id: ID!) { hook(id: $id) { replay { `+replay+` } } }`, vars{"id": hook}), &replayed); err != nil {
		t.Fatal(err)
	}
	same("the replay", replayed.Hook.Replay, n.call(http.MethodGet, "/api/v1/hooks/"+hook+"/replay", "").object(t), "hook_id")
	for name, c := range map[string][2]string{
		"too fast":    {`replayHook(id: $id, since: "2020-01-01T00:00:00Z", rate: 1001) { replay { id } }`, "INVALID_INPUT"},
		"no rate":     {`replayHook(id: $id, since: "2020-01-01T00:00:00Z", rate: 0) { replay { id } }`, "INVALID_INPUT"},
		"nowhere":     {`replayHook(id: $id) { replay { id } }`, "INVALID_INPUT"},
		"nonsense":    {`replayHook(id: $id, after: "x") { replay { id } }`, "INVALID_CURSOR"},
		"no delivery": {`redeliver(id: $id) { delivery { id } }`, "NOT_FOUND"},
	} {
		if _, codes := n.operation(`mutation ($id: ID!) { `+c[0]+` }`, vars{"id": hook}); !slices.Equal(codes, []string{c[1]}) {
			t.Errorf("%s: %q", name, codes)
		}
	}
	data = n.graphql(`mutation ($id: ID!) { redeliver(id: $id) { delivery { id trigger } } }`, vars{"id": failed})
	if want := `{"redeliver":{"delivery":{"id":"` + failed + `","trigger":"manual"}}}`; string(data) != want {
		t.Errorf("redelivered: %s", data)
	}
	if data := n.graphql(`{ hook(id: "`+uuid.NewString()+`") { id } delivery(id: "`+uuid.NewString()+`") { id } }`, nil); string(data) != `{"hook":null,"delivery":null}` {
		t.Errorf("of none: %s", data)
	}
}

// hookCalls are the operations on one hook and one delivery.
func hookCalls(hook, delivery string) [][3]string {
	return [][3]string{
		{"GET", hook, ""}, {"PATCH", hook, `{"description":"x"}`}, {"DELETE", hook, ""}, {"POST", hook + "/test", ""}, {"POST", hook + "/rotate-secret", ""},
		{"GET", hook + "/replay", ""}, {"POST", hook + "/replay", `{"since":"2020-01-01T00:00:00Z"}`}, {"DELETE", hook + "/replay", ""}, {"GET", hook + "/deliveries", ""},
		{"GET", delivery, ""}, {"POST", delivery + "/redeliver", ""},
	}
}

func hookMutations(hook, delivery string) []string {
	return []string{
		`updateHook(id: "` + hook + `", input: {description: "x"}) { hook { id } }`, `deleteHook(id: "` + hook + `") { id }`, `testHook(id: "` + hook + `") { delivered }`,
		`rotateHookSecret(id: "` + hook + `") { secret }`, `replayHook(id: "` + hook + `", since: "2020-01-01T00:00:00Z") { replay { id } }`, `stopHookReplay(id: "` + hook + `") { id }`,
		`redeliver(id: "` + delivery + `") { delivery { id } }`,
	}
}

func TestHookOperations_AreOfTheAccountAndOfWhoManagesHooks(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	url, deliveries := receiver(t)
	hook := n.makeHook(`{"url":"` + url + `","events":["item.created"]}`)
	item := n.makeItem(`{"name":"a"}`)
	id := next(t, deliveries).header.Get("webhook-id")
	delivery := "/api/v1/deliveries/" + id
	await(t, func() bool { return n.call(http.MethodGet, delivery, "").status == http.StatusOK }) // it may come before its fan-out has committed
	n.call(http.MethodPost, hook+"/replay", `{"since":"2020-01-01T00:00:00Z"}`).expect(t, http.StatusAccepted)
	next(t, deliveries)
	await(t, func() bool { return n.call(http.MethodGet, hook+"/replay", "").object(t)["ended_at"] != nil })
	n.makeStranger()
	stranger := n.as(strangerEmail, adminPassword)
	hash, err := account.HashPassword(t.Context(), adminPassword)
	if err != nil {
		t.Fatal(err)
	}
	role, own := uuid.New(), uuid.UUID{}
	if err := n.pool.QueryRow(t.Context(), "SELECT account_id FROM app_user WHERE email = $1", adminEmail).Scan(&own); err != nil {
		t.Fatal(err)
	}
	without := slices.DeleteFunc(account.All().Strings(), func(p string) bool { return p == string(account.HooksManage) })
	if err := dbtest.InsertRole(t.Context(), n.pool, role, own, "Without hooks", without...); err != nil {
		t.Fatal(err)
	}
	if err := dbtest.InsertUser(t.Context(), n.pool, dbtest.User{ID: uuid.New(), Account: own, Role: role, Email: "editor@example.com", Name: "Editor", PasswordHash: hash}); err != nil {
		t.Fatal(err)
	}
	editor := n.as("editor@example.com", adminPassword)
	before := n.call(http.MethodGet, hook, "").expect(t, http.StatusOK)
	for _, c := range hookCalls(hook, delivery) {
		stranger.call(c[0], c[1], c[2]).refused(t, c[0]+" "+c[1], http.StatusNotFound, "NOT_FOUND")
		editor.call(c[0], c[1], c[2]).refused(t, c[0]+" "+c[1], http.StatusForbidden, "FORBIDDEN")
	}
	for _, mutation := range hookMutations(idOf(hook), id) {
		if _, codes := stranger.exec(`mutation { `+mutation+` }`, nil); !slices.Equal(codes, []string{"NOT_FOUND"}) {
			t.Errorf("%s: %q", mutation, codes)
		}
		if _, codes := editor.exec(`mutation { `+mutation+` }`, nil); !slices.Equal(codes, []string{"FORBIDDEN"}) {
			t.Errorf("%s: %q", mutation, codes)
		}
	}
	for _, path := range []string{"/api/v1/hooks", "/api/v1/deliveries", "/api/v1/deliveries?item=" + item} {
		if got := stranger.call(http.MethodGet, path, "").expect(t, http.StatusOK).results(t); len(got) != 0 {
			t.Errorf("%s shows %v", path, got)
		}
		editor.call(http.MethodGet, path, "").refused(t, path, http.StatusForbidden, "FORBIDDEN")
	}
	stranger.call(http.MethodGet, "/api/v1/deliveries?hook="+idOf(hook), "").refused(t, "by another account's hook", http.StatusNotFound, "NOT_FOUND")
	stranger.call(http.MethodPost, stranger.makeHook(`{"url":"`+url+`"}`)+"/test", `{"item_id":"`+item+`"}`).expect(t, http.StatusNotFound)
	if data, codes := stranger.exec(`{ hook(id: "`+idOf(hook)+`") { id } delivery(id: "`+id+`") { id } deliveries { nodes { id } } }`, nil); codes != nil || string(data) != `{"hook":null,"delivery":null,"deliveries":{"nodes":[]}}` {
		t.Errorf("got %s, %q", data, codes)
	}
	if after := n.call(http.MethodGet, hook, "").expect(t, http.StatusOK); !bytes.Equal(before.body, after.body) || len(deliveries) > 0 {
		t.Errorf("the hook was %s, and is %s", before.body, after.body)
	}
}
