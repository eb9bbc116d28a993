package core_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// A client reads a resource, and sends the whole back with one setting changed.
func TestReturned_WhatGETReturnedCanBeSentBack(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile := n.CreateProfile("p")
	news := n.Call(http.MethodPost, "/api/v1/workflow-profiles", newsroom).WantStatus(t, http.StatusCreated).Field(t, "id")
	role := n.CreateRole("r", "api.access")
	n.CreateUser("ada@example.com", role)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).WantStatus(t, http.StatusCreated)
	field := n.Call(http.MethodGet, "/api/v1/metadata-fields", "").Results(t)[0]["id"].(string)
	item := n.CreateItem(`{"name":"a","tags":["x"],"metadata":{"year":1.50},"workflow_profile_id":"` + profile + `",` +
		`"assets":[{"kind":"source","url":"https://a.example/1","content_type":"video/mp4"}],` +
		`"snapshots":[{"url":"https://a.example/1"}],"client_data":{"b":1e2,"a":"<&>"}}`)
	for _, c := range []struct{ method, path, change string }{
		{"PUT", "/api/v1/items/" + item, `"name":"b"`},
		{"PATCH", "/api/v1/items/" + item, `"name":"c"`},
		{"PATCH", n.CreateHook(`{"url":"https://hook.example/","events":["item.created"],"headers":{"X-Key":"secret"}}`),
			`"description":"d"`},
		{"PATCH", "/api/v1/users/" + n.UserID("ada@example.com"), `"name":"Ada"`},
		{"PATCH", "/api/v1/roles/" + role, `"name":"s"`},
		{"PATCH", "/api/v1/metadata-fields/" + field, `"label":"Year"`},
		{"PATCH", "/api/v1/workflow-profiles/" + profile, `"description":"d"`},
		{"PATCH", "/api/v1/workflow-profiles/" + news, `"description":"d"`},
	} {
		before := n.Call(http.MethodGet, c.path, "").WantStatus(t, http.StatusOK)
		n.WantNoWrites(func() {
			same := n.Call(c.method, c.path, string(before.Body)).WantStatus(t, http.StatusOK)
			if string(same.Body) != string(before.Body) || same.Header.Get("ETag") != before.Header.Get("ETag") {
				t.Errorf("%s %s of what GET returned: got\n%s, want\n%s", c.method, c.path, same.Body, before.Body)
			}
		})
		changed := n.Call(c.method, c.path, with(t, before.Body, c.change)).WantStatus(t, http.StatusOK)
		if !strings.Contains(string(changed.Body), c.change) {
			t.Errorf("%s %s with %s: got %s", c.method, c.path, c.change, changed.Body)
		}
		n.WantNoWrites(func() {
			stale := n.Call(c.method, c.path, with(t, before.Body, c.change)).
				WantProblem(t, "a stale body", http.StatusUnprocessableEntity, "RULE_VIOLATED")
			if places := strings.Join(stale.FaultPlaces(t), " "); !strings.Contains(places, "#/revision") {
				t.Errorf("%s %s of a stale body: faults at %s", c.method, c.path, places)
			}
			for _, wrong := range []string{
				`"revision":99`, `"created_at":"2020-01-01T00:00:00Z"`, `"id":"01890a5d-ac96-774b-bcce-b302099a8057"`,
			} {
				got := n.Call(c.method, c.path, with(t, changed.Body, wrong)).
					WantProblem(t, wrong, http.StatusUnprocessableEntity, "RULE_VIOLATED")
				name, _, _ := strings.Cut(strings.Trim(wrong, `"`), `"`)
				if places := strings.Join(got.FaultPlaces(t), " "); places != "#/"+name {
					t.Errorf("%s %s with %s: faults at %s", c.method, c.path, wrong, places)
				}
			}
		})
	}
}

// workflow stands for the profile that an item input has, and clients may write values in their own way.
func TestReturned_AnItemsWorkflowStandsForItsProfile(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	first, second := n.CreateProfile("1"), n.CreateProfile("2")
	path := "/api/v1/items/" + n.CreateItem(`{"name":"a","workflow_profile_id":"`+first+`"}`)
	for _, c := range []struct {
		body   string // merged into what GET returns
		status int
		want   string // in the answer, or the place of the fault
	}{
		{`"name":"b"`, 200, first},
		{`"workflow":{"profile_id":"` + second + `","status":"pending"}`, 200, second},
		{`"workflow":{"profile_id":"` + strings.ToUpper(first) + `"}`, 200, first},
		{`"workflow_profile_id":"` + second + `"`, 200, second},
		{`"workflow_profile_id":"` + second + `","workflow":{"profile_id":"` + first + `"}`, 422, "#/workflow/profile_id"},
		{`"workflow":{"profile_id":"` + second + `","status":"done"}`, 422, "#/workflow/status"},
		{`"workflow":{"profile_id":"x"}`, 400, "#/workflow_profile_id"},
		{`"workflow":null`, 200, `"workflow":null`},
		{`"workflow":{}`, 200, `"workflow":null`},
	} {
		for _, method := range []string{http.MethodPut, http.MethodPatch} {
			present := n.Call(http.MethodGet, path, "").Body
			got := n.Call(method, path, with(t, present, c.body))
			if got.Status != c.status || !strings.Contains(string(got.Body), c.want) {
				t.Errorf("%s with %s: got %d %s, want %s", method, c.body, got.Status, got.Body, c.want)
			}
		}
	}
	var document map[string]any
	if err := json.Unmarshal(n.Call(http.MethodGet, path, "").Body, &document); err != nil {
		t.Fatal(err)
	}
	at := document["created_at"].(string)
	for _, created := range []string{at, at[:23] + "Z", strings.Replace(at, "Z", "+00:00", 1)} { // :23: milliseconds
		n.Call(http.MethodPatch, path, `{"created_at":"`+created+`"}`).WantStatus(t, http.StatusOK)
	}
}

func TestReturned_ACreationNamesWhatTheServerSets(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for path, body := range map[string]string{
		"/api/v1/items": `{"name":"a"}`, "/api/v1/hooks": `{"url":"https://hook.example/"}`,
		"/api/v1/roles": `{"name":"r","permissions":[]}`, "/api/v1/metadata-fields": `{"key":"k","kind":"text"}`,
	} {
		got := n.Call(http.MethodPost, path, with(t, []byte(body), `"id":"x","revision":1`)).
			WantProblem(t, path, http.StatusBadRequest, "INVALID_INPUT")
		if !strings.Contains(string(got.Body), `{"pointer":"#/revision","detail":"is set by the server; leave it out"}`) {
			t.Errorf("POST %s: got %s", path, got.Body)
		}
	}
}

// with replaces members of an object, or adds them.
func with(t *testing.T, object []byte, members string) string {
	t.Helper()
	var all, more map[string]json.RawMessage
	if json.Unmarshal(object, &all) != nil || json.Unmarshal([]byte("{"+members+"}"), &more) != nil {
		t.Fatalf("%s with %s: not JSON", object, members)
	}
	for name, value := range more {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
