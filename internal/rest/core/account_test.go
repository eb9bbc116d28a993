package core_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

const accountPath = "/api/v1/account"

func TestAccount_EveryUserReadsItAndManagersOfUsersChangeIt(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile := n.CreateProfile("News")
	bare := n.CreateUser("bare@example.com", n.CreateRole("Bare", account.APIAccess))
	read := bare.Call(http.MethodGet, accountPath, "").WantStatus(t, http.StatusOK)
	if got := read.Object(t); got["name"] != "Itemcast" || got["default_workflow_profile_id"] != nil ||
		got["revision"] != 1.0 || got["updated_at"] != got["created_at"] || read.Header.Get("ETag") != `"1"` {
		t.Errorf("got %s, ETag %s", read.Body, read.Header.Get("ETag"))
	}
	bare.Call(http.MethodGet, accountPath, "", "If-None-Match", `"1"`).WantStatus(t, http.StatusNotModified)
	n.WantNoWrites(func() {
		bare.Call(http.MethodPatch, accountPath, `{"name":"Mine"}`).WantProblem(t, "bare", http.StatusForbidden, "FORBIDDEN")
	})

	changed := n.Call(http.MethodPatch, accountPath, `{"name":" Our Hub ","default_workflow_profile_id":"`+profile+`"}`,
		"If-Match", `"1"`).WantStatus(t, http.StatusOK)
	if got := changed.Object(t); got["name"] != "Our Hub" || got["default_workflow_profile_id"] != profile ||
		got["revision"] != 2.0 || changed.Header.Get("ETag") != `"2"` {
		t.Errorf("changed to %s", changed.Body)
	}
	n.Call(http.MethodPatch, accountPath, `{"name":"Stale"}`, "If-Match", `"1"`).
		WantProblem(t, "stale", http.StatusPreconditionFailed, "REVISION_MISMATCH")
	n.WantNoWrites(func() {
		same := n.Call(http.MethodPatch, accountPath, string(changed.Body)).WantStatus(t, http.StatusOK)
		if string(same.Body) != string(changed.Body) {
			t.Errorf("what GET returned, sent back, made %s", same.Body)
		}
	})
	framed := n.Call(http.MethodPatch, accountPath, `{"frame_ancestors":["HTTPS://Blog.Example/","https://*.shop.example"]}`).
		WantStatus(t, http.StatusOK).Object(t)["frame_ancestors"]
	if got := fmt.Sprint(framed); got != "[https://blog.example https://*.shop.example]" {
		t.Errorf("the sites are %s", got)
	}
	cleared := n.Call(http.MethodPatch, accountPath, `{"default_workflow_profile_id":null}`).WantStatus(t, http.StatusOK)
	if got := cleared.Object(t); got["default_workflow_profile_id"] != nil || got["name"] != "Our Hub" {
		t.Errorf("cleared to %s", cleared.Body)
	}
	var entries []string
	for _, entry := range n.Call(http.MethodGet, "/api/v1/audit?action=account.updated&subject=account", "").Results(t) {
		entries = append(entries, fmt.Sprint(entry["detail"]))
	}
	if len(entries) != 3 || !strings.Contains(entries[0], profile) || !strings.Contains(entries[1], "https://*.shop.example") ||
		!strings.Contains(entries[2], "Our Hub") {
		t.Errorf("the audit log has %q", entries)
	}
}

func TestAccount_FaultsAreNamedAtTheirPointers(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, newsRole := n.CreateEditor("news")
	hidden := n.CreateProfile("News", newsRole)
	manager := n.CreateUser("manager@example.com", n.CreateRole("Manager", account.APIAccess, account.UsersManage))
	unknown := "01890a5d-ac96-774b-bcce-b302099a8057"
	n.WantNoWrites(func() {
		for _, c := range []struct {
			body   string
			status int
			places []string
		}{
			{`{"name":"","default_workflow_profile_id":"x","quota":{}}`, http.StatusBadRequest,
				[]string{"#/default_workflow_profile_id", "#/name", "#/quota"}},
			{`{"quotas":{"bytes":0,"minutes":1.5,"parallel_jobs":"2","files":1}}`, http.StatusBadRequest,
				[]string{"#/quotas/bytes", "#/quotas/files", "#/quotas/minutes", "#/quotas/parallel_jobs"}},
			{`{"quotas":null}`, http.StatusBadRequest, []string{"#/quotas"}},
			{`{"name":null}`, http.StatusBadRequest, []string{"#/name"}},
			{`{"name":" ","frame_ancestors":["*","https://a.example"]}`, http.StatusBadRequest,
				[]string{"#/frame_ancestors/0", "#/name"}},
			{`{"frame_ancestors":["https://a.example","'none'; script-src *"]}`, http.StatusBadRequest,
				[]string{"#/frame_ancestors/1"}},
			{`{"frame_ancestors":null}`, http.StatusBadRequest, []string{"#/frame_ancestors"}},
			{`{"name":"a\u202eb"}`, http.StatusBadRequest, []string{"#/name"}},
			{`{"name":"` + strings.Repeat("x", 101) + `"}`, http.StatusBadRequest, []string{"#/name"}},
			{`{"default_workflow_profile_id":"` + unknown + `"}`, http.StatusUnprocessableEntity,
				[]string{"#/default_workflow_profile_id"}},
			{`{"default_workflow_profile_id":"` + hidden + `"}`, http.StatusUnprocessableEntity,
				[]string{"#/default_workflow_profile_id"}},
			{`{"default_workflow_profile_id":"00000000-0000-0000-0000-000000000000"}`, http.StatusUnprocessableEntity,
				[]string{"#/default_workflow_profile_id"}},
			{`{"revision":7}`, http.StatusUnprocessableEntity, []string{"#/revision"}},
		} {
			code := map[int]string{http.StatusBadRequest: "INVALID_INPUT", http.StatusUnprocessableEntity: "RULE_VIOLATED"}
			got := manager.Call(http.MethodPatch, accountPath, c.body).WantProblem(t, c.body, c.status, code[c.status])
			if places := slices.Sorted(slices.Values(got.FaultPlaces(t))); !slices.Equal(places, c.places) {
				t.Errorf("%s: faults at %q, want %q", c.body, places, c.places)
			}
		}
		const update = `mutation ($i: UpdateAccountInput!, $r: Int) { updateAccount(input: $i, ifRevision: $r) { account { name } } }`
		for code, variables := range map[string]nodetest.Vars{
			"INVALID_INPUT":     {"i": nodetest.Vars{"name": nil}},
			"RULE_VIOLATED":     {"i": nodetest.Vars{"defaultWorkflowProfileId": hidden}},
			"REVISION_MISMATCH": {"i": nodetest.Vars{"name": "x"}, "r": 9},
		} {
			if got, codes := manager.TryGraphQL(update, variables); !slices.Equal(codes, []string{code}) {
				t.Errorf("%s: got %s", code, got.Body)
			}
		}
	})
	// Whoever manages profiles sees them all.
	n.As(nodetest.AdminEmail, nodetest.AdminPassword).
		Call(http.MethodPatch, accountPath, `{"default_workflow_profile_id":"`+hidden+`"}`).WantStatus(t, http.StatusOK)
	// A default that the manager does not see stays when the manager changes something else.
	before := manager.Call(http.MethodGet, accountPath, "").WantStatus(t, http.StatusOK)
	manager.Call(http.MethodPatch, accountPath, with(t, before.Body, `"name":"Hub"`)).WantStatus(t, http.StatusOK)
}

func TestAccount_HasQuotasThatAreChangedOneByOne(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const none = `{"bytes":null,"minutes":null,"parallel_jobs":null}`
	quotas := func(got nodetest.Response) string {
		var body struct{ Quotas json.RawMessage }
		if err := json.Unmarshal(got.WantStatus(t, http.StatusOK).Body, &body); err != nil {
			t.Fatal(err)
		}
		return string(body.Quotas)
	}
	read := n.Call(http.MethodGet, accountPath, "")
	if got := quotas(read); got != none || !strings.Contains(string(read.Body),
		`"usage":{"bytes":0,"reserved_bytes":0,"minutes":0,"uploads":0,"jobs":0,"waiting_jobs":0}`) {
		t.Errorf("a new account has %s", read.Body)
	}
	for _, c := range [][2]string{
		{`{"quotas":{"bytes":9007199254740991,"minutes":90,"parallel_jobs":2}}`,
			`{"bytes":9007199254740991,"minutes":90,"parallel_jobs":2}`},
		{`{"quotas":{"minutes":null}}`, `{"bytes":9007199254740991,"minutes":null,"parallel_jobs":2}`},
		{`{"quotas":{}}`, `{"bytes":9007199254740991,"minutes":null,"parallel_jobs":2}`},
	} {
		if got := quotas(n.Call(http.MethodPatch, accountPath, c[0])); got != c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
	same := n.Call(http.MethodGet, accountPath, "").WantStatus(t, http.StatusOK)
	n.WantNoWrites(func() { n.Call(http.MethodPatch, accountPath, string(same.Body)).WantStatus(t, http.StatusOK) })
	if audit := n.Call(http.MethodGet, "/api/v1/audit?action=account.updated", "").Results(t); len(audit) != 2 ||
		!strings.Contains(fmt.Sprint(audit[0]["detail"]), "quotas.minutes") {
		t.Errorf("the audit log has %v", audit)
	}
	data := n.GraphQL(`mutation { updateAccount(input: {quotas: {bytes: null, parallelJobs: 3}}) {
		account { quotas { bytes minutes parallelJobs } usage { bytes reservedBytes minutes uploads jobs waitingJobs } } } }`, nil)
	want := `{"updateAccount":{"account":{"quotas":{"bytes":null,"minutes":null,"parallelJobs":3},` +
		`"usage":{"bytes":0,"reservedBytes":0,"minutes":0,"uploads":0,"jobs":0,"waitingJobs":0}}}}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
}

func TestAccount_GraphQLReadsAndChangesTheSame(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile := n.CreateProfile("News")
	data := n.GraphQL(`mutation ($i: UpdateAccountInput!) { updateAccount(input: $i, ifRevision: 1) {
		account { name defaultWorkflowProfileId revision } } }`,
		nodetest.Vars{"i": nodetest.Vars{"name": "Hub", "defaultWorkflowProfileId": profile}})
	want := `{"updateAccount":{"account":{"name":"Hub","defaultWorkflowProfileId":"` + profile + `","revision":2}}}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	n.GraphQL(`mutation { updateAccount(input: {name: "Our Hub", frameAncestors: []}) { account { name } } }`, nil)
	read := n.Call(http.MethodGet, accountPath, "").WantStatus(t, http.StatusOK).Object(t)
	want = `{"account":{"name":"Our Hub","defaultWorkflowProfileId":"` + profile + `","frameAncestors":[],"createdAt":"` +
		read["created_at"].(string) + `","updatedAt":"` + read["updated_at"].(string) + `","revision":3}}`
	data = n.GraphQL(`{ account { name defaultWorkflowProfileId frameAncestors createdAt updatedAt revision } }`, nil)
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	n.GraphQL(`mutation { updateAccount(input: {defaultWorkflowProfileId: null}) { account { name } } }`, nil)
	if got := n.Call(http.MethodGet, accountPath, "").Object(t); got["default_workflow_profile_id"] != nil {
		t.Errorf("after null, the default is %v", got)
	}
}
