package core_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

const inbox = `{"name":"Inbox","uploads":{"enabled":true,"origins":["https://App.example/"],` +
	`"redirects":["https://app.example/done"],"max_size":1000,"content_types":["video/*"],"quota_bytes":9007199254740991,"quota_minutes":600,"parallel_jobs":2,"publish":true}}`

const inboxUploads = `"uploads":{"enabled":true,"origins":["https://app.example"],"redirects":["https://app.example/done"],` +
	`"max_size":1000,"content_types":["video/*"],"quota_bytes":9007199254740991,"quota_minutes":600,"parallel_jobs":2,"publish":true}`

func TestWorkflowUploads_AreSetReadAndSentBack(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, profilesPath, inbox).WantStatus(t, http.StatusCreated)
	path := profilesPath + "/" + made.Field(t, "id")
	if !strings.Contains(string(made.Body), inboxUploads) ||
		!strings.Contains(string(made.Body), `"old_secret_until":null,"old_upload_secret_until":null`) {
		t.Errorf("got %s", made.Body)
	}
	again := n.Call(http.MethodPatch, path, string(made.Body)).WantStatus(t, http.StatusOK)
	if string(again.Body) != string(made.Body) {
		t.Errorf("what GET returned, sent back, makes %s", again.Body)
	}
	patched := n.Call(http.MethodPatch, path, `{"uploads":{"max_size":null,"publish":false}}`).WantStatus(t, http.StatusOK)
	want := strings.NewReplacer(`"max_size":1000`, `"max_size":null`, `"publish":true`, `"publish":false`).Replace(inboxUploads)
	if !strings.Contains(string(patched.Body), want) || patched.Field(t, "version") != "1" {
		t.Errorf("got %s", patched.Body)
	}
	viewer := n.CreateUser("viewer@example.com", n.CreateRole("reader", account.APIAccess, account.ItemsView))
	if got := viewer.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK); !strings.Contains(string(got.Body), want) {
		t.Errorf("a reader gets %s", got.Body)
	}
	plain := n.Call(http.MethodPost, profilesPath, `{"name":"Plain"}`).WantStatus(t, http.StatusCreated)
	const none = `"uploads":{"enabled":false,"origins":[],"redirects":[],"max_size":null,"content_types":[],"quota_bytes":null,"quota_minutes":null,"parallel_jobs":null,"publish":false}`
	if !strings.Contains(string(plain.Body), none) {
		t.Errorf("without uploads: got %s", plain.Body)
	}
}

func TestWorkflowUploads_OneAnswerNamesAllFaults(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.WantNoWrites(func() {
		for name, c := range map[string]struct {
			uploads string
			places  []string
		}{
			"of the contract": {`{"enabled":"yes","origins":[1],"redirects":["ftp://a"],"max_size":1.5,"content_types":["Video"],"quota_bytes":0,"quota_minutes":0,"parallel_jobs":1.5,"publish":1,"secret":"x"}`,
				[]string{"#/uploads/content_types/0", "#/uploads/enabled", "#/uploads/max_size", "#/uploads/origins/0",
					"#/uploads/parallel_jobs", "#/uploads/publish", "#/uploads/quota_bytes", "#/uploads/quota_minutes", "#/uploads/redirects/0", "#/uploads/secret"}},
			"beyond it": {`{"origins":["https://*.example"],"redirects":["https://a.example/#b"]}`, []string{"#/uploads/origins/0", "#/uploads/redirects/0"}},
			"null":      {`null`, []string{"#/uploads"}},
		} {
			got := n.Call(http.MethodPost, profilesPath, `{"name":"n","uploads":`+c.uploads+`}`).
				WantProblem(t, name, http.StatusBadRequest, "INVALID_INPUT")
			places := got.FaultPlaces(t)
			slices.Sort(places)
			if !slices.Equal(places, c.places) {
				t.Errorf("%s: faults at %q, want %q: %s", name, places, c.places, got.Body)
			}
		}
	})
}

func TestWorkflowUploads_TheSecretIsShownOnceAndNeverAgain(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, profilesPath, inbox).WantStatus(t, http.StatusCreated)
	path := profilesPath + "/" + made.Field(t, "id")
	warning := func() bool {
		return strings.Contains(string(n.Call(http.MethodPost, path+"/check", "").WantStatus(t, http.StatusOK).Body), `#/uploads/enabled`)
	}
	if !warning() {
		t.Error("a profile without an upload secret has no warning")
	}
	first := n.Call(http.MethodPost, path+"/rotate-secret", `{"secret":"uploads"}`).WantStatus(t, http.StatusOK)
	second := n.Call(http.MethodPost, path+"/rotate-secret", `{"secret":"uploads"}`).WantStatus(t, http.StatusOK)
	if !strings.HasPrefix(first.Field(t, "secret"), "icu_") || first.Object(t)["old_secret_until"] != nil ||
		second.Field(t, "secret") == first.Field(t, "secret") || second.Object(t)["old_secret_until"] == nil || warning() {
		t.Errorf("got %s, then %s", first.Body, second.Body)
	}
	read := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
	if read.Object(t)["old_upload_secret_until"] != second.Object(t)["old_secret_until"] || read.Object(t)["old_secret_until"] != nil {
		t.Errorf("got %s", read.Body)
	}
	n.Call(http.MethodPost, path+"/copy", `{"name":"Copy"}`).WantStatus(t, http.StatusCreated)
	for _, at := range []string{path, profilesPath, path + "/versions", "/api/v1/audit?limit=200"} {
		if body := string(n.Call(http.MethodGet, at, "").WantStatus(t, http.StatusOK).Body); strings.Contains(body, "icu_") {
			t.Errorf("%s shows the secret: %s", at, body)
		}
	}
	audit := string(n.Call(http.MethodGet, "/api/v1/audit?limit=200", "").Body)
	for _, want := range []string{`{"secret":"uploads","revoked":false}`, `"quota_bytes":9007199254740991`} {
		if !strings.Contains(strings.ReplaceAll(audit, `{"revoked":false,"secret":"uploads"}`, `{"secret":"uploads","revoked":false}`), want) {
			t.Errorf("the audit log has no %s: %s", want, audit)
		}
	}
	revoked := n.Call(http.MethodPost, path+"/rotate-secret", `{"secret":"uploads","revoke":true}`).WantStatus(t, http.StatusOK)
	if revoked.Object(t)["old_secret_until"] != nil {
		t.Errorf("revoked: got %s", revoked.Body)
	}
}

func TestWorkflowUploads_GraphQLDoesWhatRESTDoes(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const fields = `uploads { enabled origins redirects maxSize contentTypes quotaBytes quotaMinutes parallelJobs publish } oldUploadSecretUntil`
	var made struct {
		CreateWorkflowProfile struct{ WorkflowProfile struct{ ID string } }
	}
	data := n.GraphQL(`mutation ($i: CreateWorkflowProfileInput!) { createWorkflowProfile(input: $i) { workflowProfile { id } } }`,
		nodetest.Vars{"i": nodetest.Vars{"name": "Inbox", "uploads": nodetest.Vars{"enabled": true, "origins": []string{"https://App.example/"},
			"redirects": []string{"https://app.example/done"}, "maxSize": 1000, "contentTypes": []string{"video/*"},
			"quotaBytes": int64(9007199254740991), "quotaMinutes": 600, "parallelJobs": 2,
			"publish": true}}})
	if err := json.Unmarshal(data, &made); err != nil {
		t.Fatal(err)
	}
	id := made.CreateWorkflowProfile.WorkflowProfile.ID
	if got := n.Call(http.MethodGet, profilesPath+"/"+id, "").WantStatus(t, http.StatusOK); !strings.Contains(string(got.Body), inboxUploads) {
		t.Errorf("got %s", got.Body)
	}
	data = n.GraphQL(`mutation ($id: ID!, $i: UpdateWorkflowProfileInput!) { updateWorkflowProfile(id: $id, input: $i) { workflowProfile { version `+fields+` } } }`,
		nodetest.Vars{"id": id, "i": nodetest.Vars{"uploads": nodetest.Vars{"maxSize": nil, "contentTypes": []string{"image/png"}}}})
	const want = `{"updateWorkflowProfile":{"workflowProfile":{"version":1,"uploads":{"enabled":true,"origins":["https://app.example"],` +
		`"redirects":["https://app.example/done"],"maxSize":null,"contentTypes":["image/png"],"quotaBytes":9007199254740991,"quotaMinutes":600,"parallelJobs":2,"publish":true},` +
		`"oldUploadSecretUntil":null}}}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	data = n.GraphQL(`mutation ($id: ID!) { a: rotateWorkflowSecret(id: $id, secret: UPLOADS) { secret oldSecretUntil }
		b: rotateWorkflowSecret(id: $id, secret: UPLOADS) { secret oldSecretUntil } }`, nodetest.Vars{"id": id})
	if strings.Count(string(data), `"icu_`) != 2 || strings.Count(string(data), `"oldSecretUntil":null`) != 1 {
		t.Errorf("got %s", data)
	}
	_, codes := n.TryGraphQL(`mutation ($id: ID!) { updateWorkflowProfile(id: $id, input: {uploads: {origins: ["https://*.example"]}}) { workflowProfile { id } } }`,
		nodetest.Vars{"id": id})
	if !slices.Equal(codes, []string{"INVALID_INPUT"}) {
		t.Errorf("a wildcard: got %q", codes)
	}
	_, codes = n.TryGraphQL(`mutation ($id: ID!) { updateWorkflowProfile(id: $id, input: {uploads: null}) { workflowProfile { id } } }`,
		nodetest.Vars{"id": id})
	if !slices.Equal(codes, []string{"INVALID_INPUT"}) {
		t.Errorf("null: got %q", codes)
	}
}
