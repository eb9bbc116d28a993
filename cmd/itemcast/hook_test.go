package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"itemcast/internal/server"
)

func TestHook_AnAddressThatMayNotBeReachedIsRefusedOverBothAPIs(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.leavesNothing(func() {
		for _, host := range []string{"10.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "0xa.1"} {
			rest := n.call(http.MethodPost, "/api/v1/hooks", `{"url":"http://`+host+`/"}`).refused(t, host, http.StatusUnprocessableEntity, "RULE_VIOLATED")
			if places := rest.places(t); len(places) != 1 || places[0] != "#/url" {
				t.Errorf("%s: faults at %q", host, places)
			}
			graph, codes := n.operation(`mutation ($u: String!) { createHook(input: {url: $u}) { secret } }`, vars{"u": "http://" + host + "/"})
			if len(codes) != 1 || codes[0] != "RULE_VIOLATED" {
				t.Errorf("%s: got %q", host, codes)
			}
			for _, told := range []answer{rest, graph} {
				if !strings.Contains(string(told.body), "ITEMCAST_HOOK_ALLOW_NETWORKS") {
					t.Errorf("%s: the setting is not named: %s", host, told.body)
				}
			}
		}
	})
}

func TestHook_TellsHowItFaresOverBothAPIs(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	url, deliveries := receiver(t)
	path := "/api/v1/hooks/" + n.call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created"]}`).expect(t, http.StatusCreated).field(t, "id")
	broken := n.call(http.MethodPost, "/api/v1/hooks", `{"url":"http://127.0.0.1:`+freePort(t)+`/","events":["item.created"]}`).expect(t, http.StatusCreated).field(t, "id")
	n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).expect(t, http.StatusCreated)
	next(t, deliveries)

	type fares struct {
		DisabledReason, LastSuccessAt, LastFailureAt, LastError *string
		Pending                                                 int
	}
	read := func(path string) (f fares) {
		t.Helper()
		raw := n.call(http.MethodGet, path, "").expect(t, http.StatusOK).body
		if err := json.Unmarshal([]byte(strings.NewReplacer("disabled_reason", "DisabledReason", "last_success_at", "LastSuccessAt", "last_failure_at", "LastFailureAt",
			"last_error", "LastError").Replace(string(raw))), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	await(t, func() bool {
		return read(path).LastSuccessAt != nil && read("/api/v1/hooks/"+broken).LastFailureAt != nil
	})
	if f := read(path); f.LastFailureAt != nil || f.LastError != nil || f.Pending != 0 || f.DisabledReason != nil {
		t.Errorf("the one that works: %+v", f)
	}
	if f := read("/api/v1/hooks/" + broken); f.LastSuccessAt != nil || f.LastError == nil || !strings.Contains(*f.LastError, "refused") || f.Pending != 1 {
		t.Errorf("the one that fails: %+v", f)
	}
	var graph struct{ Hook fares }
	data := n.graphql(`query ($id: ID!) { hook(id: $id) { disabledReason lastSuccessAt lastFailureAt lastError pending } }`, vars{"id": broken})
	if err := json.Unmarshal(data, &graph); err != nil || graph.Hook.LastError == nil || graph.Hook.LastFailureAt == nil || graph.Hook.Pending != 1 {
		t.Errorf("over GraphQL: %s, %v", data, err)
	}
}

// await polls for what happens in the background.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come")
		}
	}
}

func TestOps_MetricsTellOfHooks(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	page := httptest.NewRecorder()
	server.Ops(n.pool, func() int64 { return 0 }, n.Dispatcher).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, name := range []string{`itemcast_hook_attempts_total{outcome="succeeded"} 0`, "itemcast_hook_backlog 0", "itemcast_feed_position 0"} {
		if !strings.Contains(page.Body.String(), name+"\n") {
			t.Errorf("there is no %s", name)
		}
	}
}
