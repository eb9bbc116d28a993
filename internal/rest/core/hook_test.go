package core_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/node/nodetest"
)

// A URL is stored and requested as browsers write it. What stands for itself in no URL is refused with the reason.
func TestHooks_AURLIsStoredAndRequestedAsBrowsersWriteIt(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	targets := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { targets <- r.RequestURI }))
	t.Cleanup(receiver.Close)
	const typed, requested = `/a%2Fb/ü?channel=Köln&q=\"a|b\"`, "/a%2Fb/%C3%BC?channel=K%C3%B6ln&q=%22a%7Cb%22"
	made := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+receiver.URL+typed+`"}`).WantStatus(t, http.StatusCreated)
	hook := "/api/v1/hooks/" + made.Field(t, "id")
	for what, got := range map[string]nodetest.Response{"POST": made, "GET": n.Call(http.MethodGet, hook, "")} {
		if url := got.Object(t)["url"]; url != receiver.URL+requested {
			t.Errorf("%s shows %s", what, url)
		}
	}
	n.Call(http.MethodPost, hook+"/test", "").WantStatus(t, http.StatusOK)
	n.Call(http.MethodPost, "/api/v1/items/"+n.CreateItem(`{"name":"a"}`)+"/trigger-hook", "")
	for range 2 {
		if got := nodetest.Next(t, targets); got != requested {
			t.Errorf("the receiver gets %s", got)
		}
	}
	same := n.Call(http.MethodPatch, hook, `{"url":"`+receiver.URL+typed+`"}`).WantStatus(t, http.StatusOK)
	if same.Object(t)["url"] != receiver.URL+requested || same.Header.Get("ETag") != made.Header.Get("ETag") {
		t.Errorf("the same URL again: %s", same.Body)
	}
	for url, want := range map[string]string{
		"http://127.0.0.1/?q=%zz": "must have two hexadecimal digits after each %", "http://127.0.0.1/a b": "write a space as %20",
		"http://a b/": "a space is %20", "http://127.0.0.1/%zz": "% is %25",
		"http://u:p@127.0.0.1/": "must not contain credentials", "http://127.0.0.1:70000/": "must have a port from 1 to 65535",
	} {
		got := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`"}`).
			WantProblem(t, url, http.StatusBadRequest, "INVALID_INPUT").Detail(t)
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
	}
}

func TestHooks_EveryOperation(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	url, deliveries := nodetest.StartReceiver(t)
	made := n.Call(http.MethodPost, "/api/v1/hooks",
		`{"url":"`+url+`","description":"mine","events":["item.created","item.updated"],
		"filter":{"tags":["a"],"metadata":{}},"changed_fields":["name","tags"],
		"headers":{"X-Own":"secret value"},"body":"thin","rate_limit":100,"max_in_flight":2}`).
		WantStatus(t, http.StatusCreated)
	hook := "/api/v1/hooks/" + made.Field(t, "id")
	if made.Header.Get("Location") != n.URL+hook || !strings.HasPrefix(made.Field(t, "secret"), "whsec_") {
		t.Errorf("created %s at %s", made.Body, made.Header.Get("Location"))
	}
	patched := n.Call(http.MethodPatch, hook,
		`{"headers":{"X-Own":"***","X-New":"other value"},"filter":{"search":"b"},"rate_limit":null}`).
		WantStatus(t, http.StatusOK)
	for _, got := range []nodetest.Response{made, patched, n.Call(http.MethodGet, hook, ""),
		n.Call(http.MethodGet, "/api/v1/hooks", "")} {
		if bytes.Contains(got.Body, []byte("value")) {
			t.Errorf("a header's value is shown: %s", got.Body)
		}
	}
	if got := patched.Object(t); got["rate_limit"] != nil || fmt.Sprint(got["filter"]) != "map[search:b tags:[a]]" ||
		fmt.Sprint(got["headers"]) != "map[X-New:*** X-Own:***]" || got["secret"] != nil {
		t.Errorf("patched %s", patched.Body)
	}
	for body, place := range map[string]string{`{"rate_limit":0}`: "#/rate_limit", `{"events":[]}`: "#/events",
		`{"nope":1}`: "#/nope", `{"body":"fat"}`: "#/body"} {
		got := n.Call(http.MethodPatch, hook, body).WantProblem(t, body, http.StatusBadRequest, "INVALID_INPUT")
		if places := got.FaultPlaces(t); !slices.Equal(places, []string{place}) {
			t.Errorf("%s: faults at %q", body, places)
		}
	}
	item := n.CreateItem(`{"name":"b","tags":["a"]}`)
	sent := nodetest.Next(t, deliveries)
	if want := fmt.Sprintf(`{"id":"%s","url":"%s/api/v1/items/%s","revision":1}`, item, n.URL,
		item); string(sent.Body) != want || sent.Header.Get("X-Own") != "secret value" ||
		sent.Header.Get("X-New") != "other value" {
		t.Errorf("sent %s, %v", sent.Body, sent.Header)
	}
	delivery := "/api/v1/deliveries/" + sent.Header.Get("webhook-id")
	nodetest.Eventually(t, "the delivery has succeeded",
		func() bool { return n.Call(http.MethodGet, delivery, "").Field(t, "state") == "succeeded" })

	read := n.Call(http.MethodGet, delivery, "").WantStatus(t, http.StatusOK).Object(t)
	if attempts := read["attempts"].([]any); len(attempts) != 1 || attempts[0].(map[string]any)["status"] != 200.0 ||
		read["trigger"] != "hook" || read["item_id"] != item || read["hook_id"] != nodetest.PathID(hook) {
		t.Errorf("the delivery is %v", read)
	}
	for _, path := range []string{hook + "/deliveries", "/api/v1/deliveries",
		"/api/v1/deliveries?hook=" + nodetest.PathID(hook) + "&item=" + item +
			"&state=succeeded&occurred_after=2020-01-01T00:00:00Z"} {
		if got := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK).Results(t); len(got) != 1 ||
			got[0]["id"] != read["id"] || got[0]["attempts"] != nil {
			t.Errorf("%s lists %v", path, got)
		}
	}
	for query, place := range map[string]string{"state=done": "state", "item=7": "item",
		"occurred_after=now": "occurred_after", "limit=201": "limit", "hook=" + nodetest.PathID(hook): "hook"} {
		got := n.Call(http.MethodGet, hook+"/deliveries?"+query, "").
			WantProblem(t, query, http.StatusBadRequest, "INVALID_INPUT")
		if places := got.FaultPlaces(t); !slices.Equal(places, []string{place}) {
			t.Errorf("%s: faults at %q", query, places)
		}
	}
	n.Call(http.MethodGet, "/api/v1/deliveries?after=x", "").
		WantProblem(t, "an invalid page token", http.StatusBadRequest, "INVALID_PAGE_TOKEN")
	n.Call(http.MethodGet, "/api/v1/deliveries?hook="+uuid.NewString(), "").
		WantProblem(t, "no hook", http.StatusNotFound, "NOT_FOUND")

	again := n.Call(http.MethodPost, delivery+"/redeliver", "").WantStatus(t, http.StatusAccepted)
	if nodetest.Next(t, deliveries).Header.Get("webhook-id") != again.Field(t, "id") ||
		again.Field(t, "trigger") != "manual" {
		t.Errorf("redelivered %s", again.Body)
	}
	nodetest.Eventually(t, "the redelivery has ended", // else the replay below omits it
		func() bool { return n.Call(http.MethodGet, hook, "").Object(t)["pending"] == 0.0 })
	for _, body := range []string{"", "{}"} {
		if got := n.Call(http.MethodPost, hook+"/test", body).WantStatus(t, http.StatusOK).
			Object(t); got["delivered"] != true || got["event"] != "item.created" || got["item_id"] != item ||
			got["fault"] != nil {
			t.Errorf("tested with %q: %v", body, got)
		}
		nodetest.Next(t, deliveries)
		if got := n.Call(http.MethodPost, hook+"/rotate-secret", body).WantStatus(t, http.StatusOK).
			Object(t); got["old_secret_until"] == nil {
			t.Errorf("rotated with %q: %v", body, got)
		}
	}
	n.Call(http.MethodPost, hook+"/test", `{"event":"item.made"}`).
		WantProblem(t, "an unknown event", http.StatusBadRequest, "INVALID_INPUT")
	n.Call(http.MethodPost, hook+"/test", `{"item_id":"`+uuid.NewString()+`"}`).
		WantProblem(t, "no item", http.StatusNotFound, "NOT_FOUND")
	if got := n.Call(http.MethodPost, hook+"/rotate-secret", `{"revoke":true}`).WantStatus(t, http.StatusOK).
		Object(t); got["old_secret_until"] != nil {
		t.Errorf("revoked: %v", got)
	}

	n.Call(http.MethodGet, hook+"/replay", "").
		WantProblem(t, "before the first replay", http.StatusNotFound, "NOT_FOUND")
	n.Call(http.MethodPost, hook+"/replay", "").WantProblem(t, "without a body", http.StatusBadRequest, "BAD_REQUEST")
	n.Call(http.MethodPost, hook+"/replay", `{}`).
		WantProblem(t, "without a start", http.StatusBadRequest, "INVALID_INPUT")
	n.Call(http.MethodPost, hook+"/replay", `{"after":"x"}`).
		WantProblem(t, "from an invalid cursor", http.StatusBadRequest, "INVALID_CURSOR")
	begun := n.Call(http.MethodPost, hook+"/replay", `{"since":"2020-01-01T00:00:00Z","rate":10}`).
		WantStatus(t, http.StatusAccepted)
	if sent := nodetest.Next(t, deliveries); sent.Header.Get("itemcast-trigger") != "replay" ||
		sent.Header.Get("webhook-id") != again.Field(t, "id") {
		t.Errorf("replayed %v", sent.Header)
	}
	nodetest.Eventually(t, "the replay has ended",
		func() bool { return n.Call(http.MethodGet, hook+"/replay", "").Object(t)["ended_at"] != nil })
	if got := n.Call(http.MethodGet, hook+"/replay", "").Object(t); got["id"] != begun.Field(t, "id") ||
		got["deliveries"] != 1.0 || got["looked_at"] != got["size"] {
		t.Errorf("the replay is %v", got)
	}
	n.Call(http.MethodDelete, hook+"/replay", "").WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodPatch, hook, `{"active":false}`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPost, hook+"/replay", `{"since":"2020-01-01T00:00:00Z"}`).
		WantProblem(t, "inactive", http.StatusConflict, "CONFLICT")
	n.Call(http.MethodPost, delivery+"/redeliver", "").WantProblem(t, "inactive", http.StatusConflict, "CONFLICT")
	n.Call(http.MethodDelete, hook, "").WantStatus(t, http.StatusNoContent)
	for _, path := range []string{hook, hook + "/deliveries", hook + "/replay", delivery} {
		n.Call(http.MethodGet, path, "").WantProblem(t, path, http.StatusNotFound, "NOT_FOUND")
	}
}

func TestHooks_AWriteChangesOnlyTheRevisionOfIfMatch(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"https://example.com/"}`).WantStatus(t, http.StatusCreated)
	hook := "/api/v1/hooks/" + made.Field(t, "id")
	for _, step := range []struct {
		method, path, body, etag string
		status                   int
	}{
		{http.MethodGet, hook, "", `"1"`, http.StatusOK},
		{http.MethodPatch, hook, `{"description":"mine"}`, `"2"`, http.StatusOK},
		{http.MethodPatch, hook, `{"description":"mine"}`, `"2"`, http.StatusOK}, // changes nothing
		{http.MethodPost, hook + "/rotate-secret", "", "", http.StatusOK},
		{http.MethodGet, hook, "", `"3"`, http.StatusOK},
	} {
		got := n.Call(step.method, step.path, step.body).WantStatus(t, step.status).Header.Get("ETag")
		if got != step.etag {
			t.Errorf("%s %s: the ETag is %s, want %s", step.method, step.path, got, step.etag)
		}
	}
	if made.Header.Get("ETag") != `"1"` {
		t.Errorf("of a new hook, the ETag is %s", made.Header.Get("ETag"))
	}
	n.WantNoWrites(func() {
		for _, method := range []string{http.MethodPatch, http.MethodDelete} {
			body := map[string]string{http.MethodPatch: `{"description":"ours"}`}[method]
			got := n.Call(method, hook, body, "If-Match", `"2"`).
				WantProblem(t, method, http.StatusPreconditionFailed, "REVISION_MISMATCH")
			if got.Header.Get("ETag") != `"3"` {
				t.Errorf("%s: the ETag is %s, want the current one", method, got.Header.Get("ETag"))
			}
			n.Call(method, hook, body, "If-Match", `3`).WantProblem(t, method, http.StatusBadRequest, "INVALID_INPUT")
		}
	})
	got := n.Call(http.MethodPatch, hook, `{"description":"ours"}`, "If-Match", `"3"`).WantStatus(t, http.StatusOK)
	if got.Header.Get("ETag") != `"4"` || fmt.Sprint(got.Object(t)["revision"]) != "4" {
		t.Errorf("the ETag is %s: %s", got.Header.Get("ETag"), got.Body)
	}
	n.Call(http.MethodDelete, hook, "", "If-Match", `"4"`).WantStatus(t, http.StatusNoContent)
}

// A repeated request gets the first response again, and has no other effect.
func TestHooks_AnIdempotencyKeyMakesOperationsHappenOnce(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	url, deliveries := nodetest.StartReceiver(t)
	hook := n.CreateHook(`{"url":"` + url + `","events":["item.created"]}`)
	n.CreateItem(`{"name":"a"}`)
	id := nodetest.Next(t, deliveries).Header.Get("webhook-id")
	nodetest.Eventually(t, "the delivery has succeeded", func() bool {
		return n.Call(http.MethodGet, "/api/v1/deliveries/"+id, "").Field(t, "state") == "succeeded"
	})
	triggers := map[string]int{}
	for _, c := range [][3]string{
		{"/api/v1/hooks", `{"url":"https://example.com/"}`, ""}, {hook + "/rotate-secret", "", ""},
		{hook + "/test", `{}`, "test"},
		{hook + "/replay", `{"since":"2020-01-01T00:00:00Z"}`, "replay"},
		{"/api/v1/deliveries/" + id + "/redeliver", "", "manual"},
	} {
		first := n.Call(http.MethodPost, c[0], c[1], "Idempotency-Key", "k "+c[0])
		again := n.Call(http.MethodPost, c[0], c[1], "Idempotency-Key", "k "+c[0])
		if first.Status >= 300 || again.Status != first.Status || !bytes.Equal(first.Body, again.Body) ||
			again.Header.Get("Idempotent-Replayed") == "" {
			t.Errorf("%s: first %d %s, then %d %s", c[0], first.Status, first.Body, again.Status, again.Body)
		}
		if c[2] != "" {
			triggers[nodetest.Next(t, deliveries).Header.Get("itemcast-trigger")]++
		}
		nodetest.Eventually(t, "nothing is pending",
			func() bool { return n.Call(http.MethodGet, hook, "").Object(t)["pending"] == 0.0 })
	}
	if len(deliveries) > 0 || triggers["test"] != 1 || triggers["replay"] != 1 || triggers["manual"] != 1 {
		t.Errorf("sent %v, and %d more", triggers, len(deliveries))
	}
}
