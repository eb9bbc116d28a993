package node_test

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
	"itemcast/internal/account/password"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// snake renames the fields of GraphQL as in REST.
var snake = strings.NewReplacer("createdAt", "created_at", "updatedAt", "updated_at", "changedFields", "changed_fields",
	"rateLimit", "rate_limit", "maxInFlight", "max_in_flight",
	"disabledReason", "disabled_reason", "oldSecretUntil", "old_secret_until", "lastSuccessAt", "last_success_at",
	"lastFailureAt", "last_failure_at", "failingSince", "failing_since",
	"lastError", "last_error", "hookId", "hook_id", "itemId", "item_id", "waitsFor", "waits_for", "nextAttemptAt",
	"next_attempt_at", "attemptCount", "attempt_count",
	"lastAttemptAt", "last_attempt_at", "lastStatus", "last_status", "lastFault", "last_fault", "occurredAt",
	"occurred_at", "lookedAt", "looked_at", "startedAt", "started_at", "endedAt", "ended_at",
	`"duration"`, `"duration_ms"`, "ITEM_", "item.")

func TestHooks_GraphQLEqualsREST(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600") // no second attempt changes the delivery between two reads
		http.Error(w, "no, thanks", http.StatusTeapot)
	}))
	t.Cleanup(failing.Close)
	const settings = `id revision url description events changedFields headerNames body rateLimit maxInFlight active disabledReason oldSecretUntil lastSuccessAt lastFailureAt failingSince lastError pending createdAt updatedAt`
	var made struct {
		CreateHook struct {
			Secret string
			Hook   struct{ ID string }
		}
	}
	data := n.GraphQL(`mutation ($i: CreateHookInput!) { createHook(input: $i) { secret hook { `+settings+` } } }`,
		nodetest.Vars{"i": nodetest.Vars{"url": failing.URL, "description": "d",
			"events":        []string{"ITEM_CREATED", "ITEM_UPDATED"},
			"changedFields": []string{"NAME", "CLIENT_DATA"},
			"headers":       []nodetest.Vars{{"name": "X-Own", "value": "v"}, {"name": "X-Other", "value": "w"}}, "body": "FULL",
			"filter": nodetest.Vars{"tags": []string{"a"}, "types": []string{"VIDEO"}, "search": "b"}}})
	if err := json.Unmarshal(data, &made); err != nil || !strings.HasPrefix(made.CreateHook.Secret, "whsec_") {
		t.Fatalf("%s, %v", data, err)
	}
	hook := made.CreateHook.Hook.ID
	item := n.CreateItem(`{"name":"b","tags":["a"]}`)
	n.Call(http.MethodPatch, "/api/v1/items/"+item, `{"name":"b c"}`).WantStatus(t, http.StatusOK)
	nodetest.Eventually(t, "the first delivery has been tried", func() bool {
		got := n.Call(http.MethodGet, "/api/v1/hooks/"+hook, "").Object(t)
		return got["failing_since"] != nil && got["pending"] == 2.0
	})
	// Not before: the health of a hook with limits is not recorded while a claim locks its row.
	n.GraphQL(`mutation ($id: ID!) { updateHook(id: $id, input: {rateLimit: 7, maxInFlight: 3}) { hook { id } } }`,
		nodetest.Vars{"id": hook})
	same := func(what string, graph any, rest map[string]any, but ...string) {
		t.Helper()
		raw, err := json.Marshal(graph)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(snake.Replace(string(raw))), &fields); err != nil {
			t.Fatal(err)
		}
		for name, want := range rest {
			got := fields[name]
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
	first := n.Call(http.MethodGet, "/api/v1/hooks/"+hook+"/deliveries?limit=1&item="+item, "").
		WantStatus(t, http.StatusOK)
	oldest := n.Call(http.MethodGet, "/api/v1/deliveries?state=pending", "").WantStatus(t, http.StatusOK).Results(t)
	if len(oldest) != 2 || first.Link(t, "next") == nil {
		t.Fatalf("listed %v, then %s", oldest, first.Body)
	}
	failed := oldest[1]["id"].(string)
	data = n.GraphQL(`query ($h: ID!, $i: ID!, $d: ID!) { hook(id: $h) { headerNames filter { search tags types } deliveries(itemId: $i, state: PENDING) { nodes { `+delivery+` } } }
		whole: hook(id: $h) { `+settings+
		` } deliveries(hookId: $h, first: 1) { nodes { id } pageInfo { hasNextPage endCursor } } delivery(id: $d) { `+
		delivery+` } }`, nodetest.Vars{"h": hook, "i": item, "d": failed})
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	same("the hook", got.Whole, n.Call(http.MethodGet, "/api/v1/hooks/"+hook, "").Object(t), "filter", "headers")
	if !slices.Equal(got.Hook.Names, []string{"X-Other", "X-Own"}) ||
		fmt.Sprint(got.Hook.Filter) != "map[search:b tags:[a] types:[VIDEO]]" || len(got.Hook.Deliveries.Nodes) != 2 ||
		len(got.Deliveries.Nodes) != 1 {
		t.Errorf("got %s", data)
	}
	rest := n.Call(http.MethodGet, "/api/v1/deliveries/"+failed, "").Object(t)
	same("the delivery", got.Delivery, rest, "attempts")
	same("the attempt", got.Delivery["attempts"].([]any)[0], rest["attempts"].([]any)[0].(map[string]any))
	if rest["attempts"].([]any)[0].(map[string]any)["response"] != "no, thanks\n" ||
		rest["last_error"] != "The answer was 418 I'm a teapot" || rest["waits_for"] != "retry" {
		t.Errorf("the delivery is %v", rest)
	}

	update := func(input nodetest.Vars) map[string]any {
		t.Helper()
		n.GraphQL(`mutation ($id: ID!, $i: UpdateHookInput!) { updateHook(id: $id, input: $i) { hook { id } } }`,
			nodetest.Vars{"id": hook, "i": input})
		return n.Call(http.MethodGet, "/api/v1/hooks/"+hook, "").Object(t)
	}
	if got := update(nodetest.Vars{
		"headers": []nodetest.Vars{{"name": "X-Own", "value": nil}, {"name": "X-New", "value": "x"}},
		"filter":  nodetest.Vars{"tags": []string{"z"}}, "rateLimit": nil}); fmt.Sprint(got["headers"], got["filter"],
		got["rate_limit"], got["max_in_flight"]) !=
		"map[X-New:*** X-Other:***] map[tags:[z]] <nil> 3" {
		t.Errorf("updated: %v", got)
	}
	if got := update(nodetest.Vars{"headers": nil, "filter": nil, "changedFields": nil, "events": nil, "active": nil,
		"body": nil, "maxInFlight": nil, "description": nil}); fmt.Sprint(got["headers"], got["filter"],
		got["changed_fields"],
		got["events"], got["active"], got["max_in_flight"]) != "map[] <nil> <nil> [item.updated item.deleted item.triggered] true <nil>" || got["body"] != "full" || got["description"] != "" {
		t.Errorf("emptied by null: %v", got)
	}

	var tested struct{ TestHook map[string]any }
	data = n.GraphQL(`mutation ($id: ID!, $i: ID) { testHook(id: $id, itemId: $i, event: ITEM_DELETED) { delivered webhookId itemId event revision status duration fault error response } }`, nodetest.Vars{"id": hook, "i": item})
	if err := json.Unmarshal(data, &tested); err != nil || tested.TestHook["delivered"] != false ||
		tested.TestHook["status"] != 418.0 || tested.TestHook["event"] != "ITEM_DELETED" ||
		tested.TestHook["fault"] != "status" {
		t.Errorf("tested: %s, %v", data, err)
	}
	data = n.GraphQL(`mutation ($id: ID!) { rotateHookSecret(id: $id) { secret oldSecretUntil } again: rotateHookSecret(id: $id, revoke: true) { oldSecretUntil } }`, nodetest.Vars{"id": hook})
	if !strings.Contains(string(data), `"whsec_`) || !strings.Contains(string(data), `"again":{"oldSecretUntil":null}`) {
		t.Errorf("rotated: %s", data)
	}
	const replay = `id from position to since rate lookedAt size deliveries startedAt endedAt error`
	n.GraphQL(`mutation ($id: ID!) { replayHook(id: $id, since: "2020-01-01T00:00:00Z", rate: 1) { replay { id } } }`,
		nodetest.Vars{"id": hook})
	n.GraphQL(`mutation ($id: ID!) { stopHookReplay(id: $id) { id } }`, nodetest.Vars{"id": hook})
	var replayed struct {
		Hook struct{ Replay map[string]any }
	}
	if err := json.Unmarshal(n.GraphQL(`query ($id: ID!) { hook(id: $id) { replay { `+replay+` } } }`,
		nodetest.Vars{"id": hook}), &replayed); err != nil {
		t.Fatal(err)
	}
	same("the replay", replayed.Hook.Replay, n.Call(http.MethodGet, "/api/v1/hooks/"+hook+"/replay", "").
		Object(t), "hook_id")
	for name, c := range map[string][2]string{
		"too fast":          {`replayHook(id: $id, since: "2020-01-01T00:00:00Z", rate: 1001) { replay { id } }`, "INVALID_INPUT"},
		"no rate":           {`replayHook(id: $id, since: "2020-01-01T00:00:00Z", rate: 0) { replay { id } }`, "INVALID_INPUT"},
		"without a start":   {`replayHook(id: $id) { replay { id } }`, "INVALID_INPUT"},
		"an invalid cursor": {`replayHook(id: $id, after: "x") { replay { id } }`, "INVALID_CURSOR"},
		"no delivery":       {`redeliver(id: $id) { delivery { id } }`, "NOT_FOUND"},
	} {
		if _, codes := n.TryGraphQL(`mutation ($id: ID!) { `+c[0]+` }`, nodetest.Vars{"id": hook}); !slices.Equal(codes,
			[]string{c[1]}) {
			t.Errorf("%s: %q", name, codes)
		}
	}
	data = n.GraphQL(`mutation ($id: ID!) { redeliver(id: $id) { delivery { id trigger } } }`, nodetest.Vars{"id": failed})
	if want := `{"redeliver":{"delivery":{"id":"` + failed + `","trigger":"manual"}}}`; string(data) != want {
		t.Errorf("redelivered: %s", data)
	}
	if data := n.GraphQL(`{ hook(id: "`+uuid.NewString()+`") { id } delivery(id: "`+uuid.NewString()+`") { id } }`,
		nil); string(data) != `{"hook":null,"delivery":null}` {
		t.Errorf("for unknown ids: %s", data)
	}
}

// hookCalls are the REST operations on a hook and a delivery.
func hookCalls(hook, delivery string) [][3]string {
	return [][3]string{
		{"GET", hook, ""}, {"PATCH", hook, `{"description":"x"}`}, {"DELETE", hook, ""}, {"POST", hook + "/test", ""},
		{"POST", hook + "/rotate-secret", ""},
		{"GET", hook + "/replay", ""}, {"POST", hook + "/replay", `{"since":"2020-01-01T00:00:00Z"}`},
		{"DELETE", hook + "/replay", ""}, {"GET", hook + "/deliveries", ""},
		{"GET", delivery, ""}, {"POST", delivery + "/redeliver", ""},
	}
}

func hookMutations(hook, delivery string) []string {
	return []string{
		`updateHook(id: "` + hook + `", input: {description: "x"}) { hook { id } }`, `deleteHook(id: "` + hook +
			`") { id }`, `testHook(id: "` + hook + `") { delivered }`,
		`rotateHookSecret(id: "` + hook + `") { secret }`, `replayHook(id: "` + hook +
			`", since: "2020-01-01T00:00:00Z") { replay { id } }`, `stopHookReplay(id: "` + hook + `") { id }`,
		`redeliver(id: "` + delivery + `") { delivery { id } }`,
	}
}

func TestHooks_BelongToTheAccountAndNeedHooksManage(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	url, deliveries := nodetest.StartReceiver(t)
	hook := n.CreateHook(`{"url":"` + url + `","events":["item.created"]}`)
	item := n.CreateItem(`{"name":"a"}`)
	id := nodetest.Next(t, deliveries).Header.Get("webhook-id")
	delivery := "/api/v1/deliveries/" + id
	// The receiver may get it before the fan-out commits. A replay passes over a delivery that has not ended.
	nodetest.Eventually(t, "the delivery has succeeded",
		func() bool { return n.Call(http.MethodGet, delivery, "").Field(t, "state") == "succeeded" })
	n.Call(http.MethodPost, hook+"/replay", `{"since":"2020-01-01T00:00:00Z"}`).WantStatus(t, http.StatusAccepted)
	nodetest.Next(t, deliveries)
	nodetest.Eventually(t, "the replay has ended, and its delivery too", func() bool {
		return n.Call(http.MethodGet, hook+"/replay", "").Object(t)["ended_at"] != nil &&
			n.Call(http.MethodGet, hook, "").Object(t)["pending"] == 0.0
	})
	stranger := n.CreateStranger()
	hash, err := password.Hash(t.Context(), nodetest.AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	role, own := uuid.New(), uuid.UUID{}
	if err := n.Pool.QueryRow(t.Context(), "SELECT account_id FROM app_user WHERE email = $1", nodetest.AdminEmail).
		Scan(&own); err != nil {
		t.Fatal(err)
	}
	without := slices.DeleteFunc(account.All().Strings(), func(p string) bool { return p == string(account.HooksManage) })
	if err := dbtest.InsertRole(t.Context(), n.Pool, role, own, "Without hooks", without...); err != nil {
		t.Fatal(err)
	}
	if err := dbtest.InsertUser(t.Context(), n.Pool,
		dbtest.User{ID: uuid.New(), Account: own, Role: role, Email: "editor@example.com", Name: "Editor",
			PasswordHash: hash}); err != nil {
		t.Fatal(err)
	}
	editor := n.As("editor@example.com", nodetest.AdminPassword)
	nodetest.Eventually(t, "nothing is pending",
		func() bool { return n.Call(http.MethodGet, hook, "").Object(t)["pending"] == 0.0 })
	before := n.Call(http.MethodGet, hook, "").WantStatus(t, http.StatusOK)
	for _, c := range hookCalls(hook, delivery) {
		stranger.Call(c[0], c[1], c[2]).WantProblem(t, c[0]+" "+c[1], http.StatusNotFound, "NOT_FOUND")
		editor.Call(c[0], c[1], c[2]).WantProblem(t, c[0]+" "+c[1], http.StatusForbidden, "FORBIDDEN")
	}
	for _, mutation := range hookMutations(nodetest.PathID(hook), id) {
		if _, codes := stranger.TryGraphQL(`mutation { `+mutation+` }`, nil); !slices.Equal(codes, []string{"NOT_FOUND"}) {
			t.Errorf("%s: %q", mutation, codes)
		}
		if _, codes := editor.TryGraphQL(`mutation { `+mutation+` }`, nil); !slices.Equal(codes, []string{"FORBIDDEN"}) {
			t.Errorf("%s: %q", mutation, codes)
		}
	}
	for _, path := range []string{"/api/v1/hooks", "/api/v1/deliveries", "/api/v1/deliveries?item=" + item} {
		if got := stranger.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK).Results(t); len(got) != 0 {
			t.Errorf("%s shows %v", path, got)
		}
		editor.Call(http.MethodGet, path, "").WantProblem(t, path, http.StatusForbidden, "FORBIDDEN")
	}
	stranger.Call(http.MethodGet, "/api/v1/deliveries?hook="+nodetest.PathID(hook), "").
		WantProblem(t, "by another account's hook", http.StatusNotFound, "NOT_FOUND")
	stranger.Call(http.MethodPost, stranger.CreateHook(`{"url":"`+url+`"}`)+"/test", `{"item_id":"`+item+`"}`).
		WantStatus(t, http.StatusNotFound)
	if data := stranger.GraphQL(`{ hook(id: "`+nodetest.PathID(hook)+`") { id } delivery(id: "`+id+
		`") { id } deliveries { nodes { id } } }`,
		nil); string(data) != `{"hook":null,"delivery":null,"deliveries":{"nodes":[]}}` {
		t.Errorf("got %s", data)
	}
	if after := n.Call(http.MethodGet, hook, "").WantStatus(t, http.StatusOK); !bytes.Equal(before.Body, after.Body) ||
		len(deliveries) > 0 {
		t.Errorf("the hook was %s, and is %s", before.Body, after.Body)
	}
}

func TestHooks_APrivateAddressIsRefusedOverBothAPIs(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.WantNoWrites(func() {
		for _, host := range []string{"10.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "0xa.1"} {
			rest := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"http://`+host+`/"}`).
				WantProblem(t, host, http.StatusUnprocessableEntity, "RULE_VIOLATED")
			if places := rest.FaultPlaces(t); len(places) != 1 || places[0] != "#/url" {
				t.Errorf("%s: faults at %q", host, places)
			}
			graph, codes := n.TryGraphQL(`mutation ($u: String!) { createHook(input: {url: $u}) { secret } }`,
				nodetest.Vars{"u": "http://" + host + "/"})
			if len(codes) != 1 || codes[0] != "RULE_VIOLATED" {
				t.Errorf("%s: got %q", host, codes)
			}
			for _, got := range []nodetest.Response{rest, graph} {
				if !strings.Contains(string(got.Body), "ITEMCAST_HOOK_ALLOW_NETWORKS") {
					t.Errorf("%s: the setting is not named: %s", host, got.Body)
				}
			}
		}
	})
}

func TestHooks_ShowTheirHealthOverBothAPIs(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	url, deliveries := nodetest.StartReceiver(t)
	path := "/api/v1/hooks/" + n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	broken := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+nodetest.RefusingURL(t)+`","events":["item.created"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).WantStatus(t, http.StatusCreated)
	nodetest.Next(t, deliveries)

	type health struct {
		DisabledReason, LastSuccessAt, LastFailureAt, LastError *string
		Pending                                                 int
	}
	read := func(path string) (f health) {
		t.Helper()
		raw := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK).Body
		if err := json.Unmarshal([]byte(strings.NewReplacer("disabled_reason", "DisabledReason", "last_success_at",
			"LastSuccessAt", "last_failure_at", "LastFailureAt",
			"last_error", "LastError").Replace(string(raw))), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	nodetest.Eventually(t, "both deliveries wait", func() bool {
		return read(path).LastSuccessAt != nil && read("/api/v1/hooks/"+broken).LastFailureAt != nil
	})
	if f := read(path); f.LastFailureAt != nil || f.LastError != nil || f.Pending != 0 || f.DisabledReason != nil {
		t.Errorf("the hook that works: %+v", f)
	}
	if f := read("/api/v1/hooks/" + broken); f.LastSuccessAt != nil || f.LastError == nil ||
		!strings.Contains(*f.LastError, "refused") || f.Pending != 1 {
		t.Errorf("the hook that fails: %+v", f)
	}
	var graph struct{ Hook health }
	data := n.GraphQL(`query ($id: ID!) { hook(id: $id) { disabledReason lastSuccessAt lastFailureAt lastError pending } }`, nodetest.Vars{"id": broken})
	if err := json.Unmarshal(data, &graph); err != nil || graph.Hook.LastError == nil || graph.Hook.LastFailureAt == nil ||
		graph.Hook.Pending != 1 {
		t.Errorf("over GraphQL: %s, %v", data, err)
	}
}
