package hook_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/dispatch"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

func TestPatch_MergesAndNullResetsASetting(t *testing.T) {
	b := setup(t)
	made, _ := b.HookOf(map[string]any{
		"url": "https://example.com/", "description": "mine", "events": []string{hook.ItemCreated}, "changed_fields": []string{"name"}, "body": hook.ThinBody, "rate_limit": 5,
		"max_in_flight": 2, "active": false, "headers": map[string]string{"Authorization": "Bearer a", "X-Tenant": "7"},
		"filter": map[string]any{"search": "war", "tags": []string{"a", "b"}, "type": []string{"video"}},
	})
	for _, c := range []struct{ patch, want string }{
		{`{}`, ``},
		{`{"description":"ours"}`, `"description":"ours"`},
		{`{"filter":{"search":null,"tags":["c"]}}`, `"filter":{"tags":["c"],"type":["video"]}`},
		{`{"filter":null}`, `"filter":null`},
		{`{"headers":{"X-Tenant":null,"X-New":"8"}}`, `"headers":{"Authorization":"***","X-New":"***"}`},
		{`{"headers":null}`, `"headers":{}`},
		{`{"description":null,"events":null,"changed_fields":null,"body":null}`,
			`"description":"","events":["item.updated","item.deleted","item.triggered"],"changed_fields":null,"body":"full"`},
		{`{"rate_limit":null,"max_in_flight":null,"active":null}`,
			`"rate_limit":null,"max_in_flight":null,"active":true`},
	} {
		want := settingsOfHook(t, b.Get(made))
		var members map[string]any
		if err := json.Unmarshal([]byte("{"+c.want+"}"), &members); err != nil {
			t.Fatal(err)
		}
		maps.Copy(want, members)
		for name, got := range map[string]hook.Hook{"answered": b.Patch(made, c.patch), "then read": b.Get(made)} {
			if is := settingsOfHook(t, got); fmt.Sprint(is) != fmt.Sprint(want) {
				t.Errorf("%s, %s: %v, want %v", c.patch, name, is, want)
			}
		}
	}
}

// settingsOfHook returns a hook's settings as clients see them.
func settingsOfHook(t *testing.T, h hook.Hook) (members map[string]any) {
	t.Helper()
	raw, err := json.Marshal(h.Settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func TestPatch_IsRefusedAsAWholeWithEveryFault(t *testing.T) {
	b := setup(t)
	h, _ := b.Hook("https://example.com/")
	before := b.Get(h)
	for patch, want := range map[string]string{
		`{"url":null}`: "#/url", `{"url":"https://user:secret@example.com/"}`: "#/url", `{"description":"x","rate_limit":1001}`: "#/rate_limit",
		`{"events":["item.made"],"body":"fat"}`: "#/events/0 #/body", `{"headers":{"Host":"x","A B":"y"}}`: "#/headers/A%20B #/headers/Host",
		`{"filter":{"metadata":{"year":"1"}}}`: "#/filter/metadata/year", `{"filter":{"search":"\u0000"}}`: "#/filter/search", `[]`: "", `"x"`: "", `{"active":"yes"}`: "", `{"events":7}`: "",
	} {
		_, err := b.Service.Patch(b.Ctx, h.ID, []byte(patch), nil)
		if !problem.Is(err, problem.InvalidInput) {
			t.Errorf("%s: %v", patch, err)
			continue
		}
		var pointers []string
		for _, f := range problem.Of(err).Faults {
			pointers = append(pointers, f.Pointer)
		}
		if slices.Sort(pointers); strings.Join(pointers,
			" ") != strings.Join(slices.Sorted(slices.Values(splitPointers(want))), " ") {
			t.Errorf("%s: faults at %q, want %q", patch, pointers, want)
		}
	}
	if _, err := b.Service.Patch(b.Ctx, h.ID, []byte(`{"url":"http://192.168.0.1/"}`), nil); !problem.Is(err,
		problem.RuleViolated) {
		t.Errorf("an address that is not allowed: %v", err)
	}
	if _, err := b.Service.Patch(b.Ctx, uuid.New(), []byte(`{}`), nil); !problem.Is(err, problem.NotFound) {
		t.Errorf("no hook: %v", err)
	}
	if after := b.Get(h); !after.UpdatedAt.Equal(before.UpdatedAt) || after.URL != before.URL ||
		after.Description != before.Description {
		t.Errorf("a refused patch has changed the hook: %+v", after)
	}
}

func splitPointers(text string) (pointers []string) {
	for _, p := range strings.Split(text, "#") {
		if p != "" {
			pointers = append(pointers, "#"+strings.TrimSpace(p))
		}
	}
	return pointers
}

// A form that a user edits must not become stale because a delivery succeeds or fails.
func TestRevision_IsRaisedBySettingsAndSecretsAndNotByDeliveries(t *testing.T) {
	b := setup(t)
	r, answer := b.Answering(http.StatusOK)
	h, _ := b.Hook(r.URL)
	n := b.node(dispatch.Config{Retries: retries(1000, time.Millisecond)})
	b.write(n, uuid.New(), change.Created)
	b.Eventually("a success is noted", func() bool { return b.Get(h).LastSuccessAt != nil })
	answer.Store(http.StatusInternalServerError)
	b.write(n, uuid.New(), change.Created)
	b.Eventually("a failure is noted", func() bool { return b.Get(h).LastFailureAt != nil })
	if got := b.Get(h).Revision; got != 1 || h.Revision != 1 {
		t.Errorf("the revision is %d, and was %d", got, h.Revision)
	}
	if got := b.Patch(h, `{"description":"mine"}`).Revision; got != 2 {
		t.Errorf("after a patch, it is %d", got)
	}
	if got := b.Patch(h, `{"description":"mine"}`); got.Revision != 2 || !got.UpdatedAt.Equal(b.Get(h).UpdatedAt) {
		t.Errorf("after a patch that changes nothing: %+v", got)
	}
	if _, _, err := b.Service.RotateSecret(b.Ctx, h.ID, false); err != nil || b.Get(h).Revision != 3 {
		t.Errorf("after a rotation: %+v, %v", b.Get(h), err)
	}
	answer.Store(http.StatusGone)
	b.Eventually("Itemcast has made it inactive, which is a setting",
		func() bool { got := b.Get(h); return !got.Active && got.Revision == 4 })
	if _, err := b.Service.Patch(b.Ctx, h.ID, []byte(`{"active":true}`), revision.Is(3)); !problem.Is(err,
		problem.RevisionMismatch) {
		t.Errorf("a stale patch: %v", err)
	}
	if err := b.Service.Delete(b.Ctx, h.ID, revision.Is(3)); !problem.Is(err, problem.RevisionMismatch) {
		t.Errorf("a stale deletion: %v", err)
	}
	if err := b.Service.Delete(b.Ctx, h.ID, revision.Is(4)); err != nil {
		t.Errorf("a deletion: %v", err)
	}
}

func TestHeaders_AreSentAndNeverShown(t *testing.T) {
	b := setup(t)
	const token, tenant = "Bearer 5d41402abc4b", "tenant-7d793037a076"
	answer := make(chan int, 10)
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { return <-answer })
	h, secret := b.HookOf(map[string]any{"url": r.URL, "events": []string{hook.ItemCreated},
		"headers": map[string]string{"Authorization": token, "x-tenant": tenant, "X-Empty": ""}})
	shows := func(what string, shown any) {
		t.Helper()
		text := fmt.Sprintf("%+v", shown)
		for _, hidden := range []string{token, tenant, secret} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s shows %s: %s", what, hidden, text)
			}
		}
	}
	shows("Create", h)
	// A client can write back what it has read.
	raw, err := json.Marshal(b.Get(h).Settings)
	if err != nil {
		t.Fatal(err)
	}
	shows("Patch", b.Patch(h, string(raw)))
	shows("Get", b.Get(h))
	listed, _, err := b.Service.List(b.Ctx, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	shows("List", listed)

	n := b.node(dispatch.Config{Retries: retries(1, time.Millisecond)})
	answer <- http.StatusInternalServerError
	answer <- http.StatusOK
	b.write(n, uuid.New(), change.Created)
	for _, m := range r.AwaitCount(2) {
		if m.Header.Get("Authorization") != token || m.Header.Get("X-Tenant") != tenant ||
			m.Header.Values("X-Empty") == nil || m.Header.Get("X-Empty") != "" {
			t.Errorf("sent %v", m.Header)
		}
	}
	b.Eventually("it is delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	deliveries, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{}, 10, "")
	if err != nil || len(deliveries) != 1 {
		t.Fatalf("%+v, %v", deliveries, err)
	}
	_, attempts, err := b.Service.Delivery(b.Ctx, deliveries[0].ID)
	if err != nil || len(attempts) != 2 {
		t.Fatalf("%+v, %v", attempts, err)
	}
	shows("the log", deliveries)
	shows("the attempts", attempts)
	for _, table := range []string{"delivery_attempt", "delivery", "item_change"} {
		shows(table, value[string](b, "SELECT coalesce(string_agg(x::text, ' '), '') FROM "+table+" x"))
	}
}

func TestThin_TheBodyIsSignedAndARetrySendsTheSameBytes(t *testing.T) {
	b := setup(t)
	answer := make(chan int, 10)
	arrived := make(chan struct{}, 10)
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { arrived <- struct{}{}; return <-answer })
	h, secret := b.HookOf(map[string]any{"url": r.URL, "events": []string{hook.ItemCreated, hook.ItemUpdated},
		"body": hook.ThinBody})
	n := b.node(dispatch.Config{Retries: retries(5, time.Millisecond)})
	item := uuid.New()
	document := fmt.Appendf(nil,
		`{"id":"%s","url":"https://example.com/api/v1/items/%s","name":"<é>","client_data":{"id":1},"revision":1}`, item, item)
	b.record(n, change.Change{ItemID: item, Kind: change.Created, Trigger: change.TriggerWrite, Document: document})
	<-arrived
	b.Patch(h, `{"body":"full"}`)
	answer <- http.StatusInternalServerError
	answer <- http.StatusOK
	messages := r.AwaitCount(2)
	want := fmt.Sprintf(`{"id":"%s","url":"https://example.com/api/v1/items/%s","revision":1}`, item, item)
	for i, m := range messages {
		if string(m.Body) != want || m.ID() != messages[0].ID() {
			t.Errorf("message %d is %s %s, want %s", i, m.ID(), m.Body, want)
		}
		m.Verify(t, secret)
	}
	answer <- http.StatusOK
	b.write(n, item, change.Updated)
	if m := r.AwaitCount(3)[2]; string(m.Body) != string(hooktest.DocumentOf(item, 2)) {
		t.Errorf("a full body is %s", m.Body)
	}
}

// A user who may change the URL must not obtain the values of headers by it.
func TestHeaders_DoNotFollowToAnotherHost(t *testing.T) {
	b := setup(t)
	h, _ := b.HookOf(map[string]any{"url": "http://127.0.0.1:9999/a",
		"headers": map[string]string{"Authorization": "Bearer x"}})
	b.Patch(h, `{"url":"http://127.0.0.1:9999/b"}`)
	for _, patch := range []string{`{"url":"http://127.0.0.1:9998/b"}`,
		`{"url":"http://127.0.0.1:9998/b","headers":{"Authorization":"***"}}`, `{"url":"https://127.0.0.1:9999/b"}`} {
		_, err := b.Service.Patch(b.Ctx, h.ID, []byte(patch), nil)
		if !problem.Is(err, problem.InvalidInput) || problem.Of(err).Faults[0].Pointer != "#/headers/Authorization" {
			t.Errorf("%s: %v", patch, err)
		}
	}
	b.Patch(h, `{"url":"http://127.0.0.1:9998/b","headers":{"Authorization":"Bearer x"}}`)
	b.Patch(h, `{"url":"http://127.0.0.1:9997/b","headers":{"Authorization":null}}`)
}
