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

const profilesPath = "/api/v1/workflow-profiles"

// newsroom is a profile with an action of each kind, and tasks.
const newsroom = `{"name":"Newsroom","actions":[{"key":"process","kind":"process"},` +
	`{"key":"edit","kind":"edit","settings":{"remind_after":60,"deadline":120,"on_deadline":"skip"}},` +
	`{"key":"approve","kind":"approve","name":"Approval"},{"key":"publish","kind":"publish","settings":{"privacy":"unlisted"}},` +
	`{"key":"archive","kind":"archive","settings":{"tags":["old"]}}],"tasks":[` +
	`{"key":"tell","at":"after_action","action":"approve","url":"https://example.com/a?b=secret","headers":{"X-Key":"secret"},"wait":true},` +
	`{"key":"end","at":"workflow_complete","action":null,"url":"https://example.com/end"}]}`

func TestWorkflowProfiles_ActionsAndTasksAreSetAndRead(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, profilesPath, newsroom).WantStatus(t, http.StatusCreated)
	path := profilesPath + "/" + made.Field(t, "id")
	for _, want := range []string{
		`"version":1`, `{"key":"process","kind":"process","name":"process","role_ids":[],"settings":{}}`,
		`"settings":{"remind_after":60,"deadline":120,"on_deadline":"skip"}`, `"settings":{"privacy":"unlisted"}`,
		`{"key":"tell","name":"tell","at":"after_action","action":"approve","kind":"http_post",` +
			`"url":"https://example.com/a?b=secret","headers":{"X-Key":"***"},"wait":true}`,
		`"action":null,"kind":"http_post","url":"https://example.com/end","headers":{},"wait":false}`,
	} {
		if !strings.Contains(string(made.Body), want) {
			t.Errorf("%s is not in %s", want, made.Body)
		}
	}
	patched := n.Call(http.MethodPatch, path, `{"actions":[{"key":"approve","kind":"approve"}]}`, "If-Match", `"1"`).
		WantStatus(t, http.StatusOK)
	if patched.Header.Get("ETag") != `"2"` || fmt.Sprint(patched.Object(t)["version"]) != "2" {
		t.Errorf("got the ETag %s of %s", patched.Header.Get("ETag"), patched.Body)
	}
	n.Call(http.MethodPatch, path, `{"actions":[]}`, "If-Match", `"1"`).
		WantProblem(t, "a stale patch", http.StatusPreconditionFailed, "REVISION_MISMATCH")

	versions := n.Call(http.MethodGet, path+"/versions?limit=1", "").WantStatus(t, http.StatusOK)
	next := versions.Link(t, "next")
	if got := versions.Results(t); len(got) != 1 || fmt.Sprint(got[0]["version"]) != "2" || next == nil {
		t.Fatalf("got %s", versions.Body)
	}
	first := n.Call(http.MethodGet, next.RequestURI(), "").WantStatus(t, http.StatusOK)
	if got := first.Results(t); len(got) != 1 || fmt.Sprint(got[0]["version"]) != "1" || first.Link(t, "next") != nil {
		t.Errorf("got %s", first.Body)
	}
	one := n.Call(http.MethodGet, path+"/versions/1", "").WantStatus(t, http.StatusOK)
	if !strings.Contains(string(first.Body), strings.TrimSpace(string(one.Body))) {
		t.Errorf("version 1 is %s, in the list %s", one.Body, first.Body)
	}
	n.Call(http.MethodGet, path+"/versions/3", "").WantProblem(t, "version 3", http.StatusNotFound, "NOT_FOUND")
}

func TestWorkflowProfiles_URLsAndHeadersAreShownToWorkflowsManageOnly(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, profilesPath, newsroom).WantStatus(t, http.StatusCreated)
	path := profilesPath + "/" + made.Field(t, "id")
	viewer := n.CreateUser("viewer@example.com", n.CreateRole("reader", account.APIAccess, account.ItemsView))
	for _, path := range []string{path, profilesPath, path + "/versions", path + "/versions/1"} {
		got := viewer.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
		if body := string(got.Body); strings.Contains(body, "example.com") || strings.Contains(body, "X-Key") ||
			!strings.Contains(body, `"url":null,"headers":null,"wait":true`) {
			t.Errorf("%s: got %s", path, body)
		}
	}
	query := `query ($id: ID!) { workflowProfile(id: $id) { tasks { key url headerNames } versions { nodes { tasks { url headerNames } } } } }`
	data := string(viewer.GraphQL(query, nodetest.Vars{"id": made.Field(t, "id")}))
	const want = `{"workflowProfile":{"tasks":[{"key":"tell","url":null,"headerNames":null},{"key":"end","url":null,"headerNames":null}],` +
		`"versions":{"nodes":[{"tasks":[{"url":null,"headerNames":null},{"url":null,"headerNames":null}]}]}}}`
	if data != want {
		t.Errorf("got %s, want %s", data, want)
	}
}

func TestWorkflowProfiles_OneAnswerNamesAllFaults(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	actions := make([]string, 21)
	for i := range actions {
		actions[i] = fmt.Sprintf(`{"key":"a%d","kind":"process"}`, i)
	}
	n.WantNoWrites(func() {
		for name, c := range map[string]struct {
			body, code string
			status     int
			places     []string
		}{
			"21 actions": {`"actions":[` + strings.Join(actions, ",") + `]`, "INVALID_INPUT", 400, []string{"#/actions"}},
			"unknown kinds, moments, settings and members": {`"actions":[{"key":"a","kind":"dance","settings":{"speed":1}}],` +
				`"tasks":[{"key":"A","at":"never","url":"ftp://x","kind":"fax","secret":"s"}]`, "INVALID_INPUT", 400,
				[]string{"#/actions/0/kind", "#/actions/0/settings/speed", "#/tasks/0/at", "#/tasks/0/key", "#/tasks/0/kind",
					"#/tasks/0/secret", "#/tasks/0/url"}},
			"rules": {`"actions":[{"key":"a","kind":"publish","settings":{"deadline":1}},{"key":"a","kind":"process","role_ids":["01890a5d-ac96-774b-bcce-b302099a8057"]}],` +
				`"tasks":[{"key":"a","at":"before_action","action":"b","url":"http://10.0.0.1/"},{"key":"c","at":"workflow_failed","action":"a","wait":true,"url":"https://example.com/"}]`,
				"RULE_VIOLATED", 422, []string{"#/actions/0/settings/deadline", "#/actions/1/key", "#/actions/1/role_ids/0",
					"#/tasks/0/action", "#/tasks/0/key", "#/tasks/0/url", "#/tasks/1/action", "#/tasks/1/wait"}},
		} {
			got := n.Call(http.MethodPost, profilesPath, `{"name":"n",`+c.body+`}`).WantProblem(t, name, c.status, c.code)
			places := got.FaultPlaces(t)
			slices.Sort(places)
			if !slices.Equal(places, c.places) {
				t.Errorf("%s: got faults at %q, want %q: %s", name, places, c.places, got.Body)
			}
		}
	})
}

func TestWorkflowProfiles_GraphQLDoesWhatRESTDoes(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	create := `mutation ($i: CreateWorkflowProfileInput!) { createWorkflowProfile(input: $i) { workflowProfile { id } } }`
	editor := n.CreateRole("chief", account.APIAccess, account.ItemsView, account.WorkflowsAct)
	var made struct {
		CreateWorkflowProfile struct{ WorkflowProfile struct{ ID string } }
	}
	data := n.GraphQL(create, nodetest.Vars{"i": nodetest.Vars{"name": "News",
		"actions": []nodetest.Vars{{"key": "edit", "kind": "EDIT", "roleIds": []string{editor},
			"settings": nodetest.Vars{"remindAfter": 1, "deadline": 2, "onDeadline": "SKIP"}},
			{"key": "publish", "kind": "PUBLISH", "settings": nodetest.Vars{"privacy": "UNLISTED"}},
			{"key": "archive", "kind": "ARCHIVE", "settings": nodetest.Vars{"tags": []string{"a"}}}},
		"tasks": []nodetest.Vars{{"key": "tell", "at": "BEFORE_ACTION", "action": "edit", "url": "https://example.com/", "wait": true,
			"headers": []nodetest.Vars{{"name": "X-Key", "value": "secret"}}}}}})
	if err := json.Unmarshal(data, &made); err != nil {
		t.Fatal(err)
	}
	id := made.CreateWorkflowProfile.WorkflowProfile.ID
	path := profilesPath + "/" + id
	got := string(n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK).Body)
	want := `"actions":[{"key":"edit","kind":"edit","name":"edit","role_ids":["` + editor + `"],"settings":{"remind_after":1,"deadline":2,"on_deadline":"skip"}},` +
		`{"key":"publish","kind":"publish","name":"publish","role_ids":[],"settings":{"privacy":"unlisted"}},` +
		`{"key":"archive","kind":"archive","name":"archive","role_ids":[],"settings":{"tags":["a"]}}],` +
		`"tasks":[{"key":"tell","name":"tell","at":"before_action","action":"edit","kind":"http_post","url":"https://example.com/","headers":{"X-Key":"***"},"wait":true}]`
	if !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	update := `mutation ($id: ID!, $i: UpdateWorkflowProfileInput!, $r: Int) { updateWorkflowProfile(id: $id, input: $i, ifRevision: $r) {
		workflowProfile { version tasks { name headerNames } actions { kind settings { onDeadline privacy tags } } } } }`
	data = n.GraphQL(update, nodetest.Vars{"id": id, "r": 1, "i": nodetest.Vars{"tasks": []nodetest.Vars{{"key": "tell", "name": "Tell",
		"at": "WORKFLOW_START", "url": "https://example.com/2", "headers": []nodetest.Vars{{"name": "X-Key", "value": nil}}}}}})
	const updated = `{"updateWorkflowProfile":{"workflowProfile":{"version":2,"tasks":[{"name":"Tell","headerNames":["X-Key"]}],` +
		`"actions":[{"kind":"EDIT","settings":{"onDeadline":"SKIP","privacy":null,"tags":null}},` +
		`{"kind":"PUBLISH","settings":{"onDeadline":null,"privacy":"UNLISTED","tags":null}},` +
		`{"kind":"ARCHIVE","settings":{"onDeadline":null,"privacy":null,"tags":["a"]}}]}}}`
	if string(data) != updated {
		t.Errorf("got %s, want %s", data, updated)
	}
	data = n.GraphQL(`mutation ($id: ID!) { copyWorkflowProfile(id: $id, name: "Sport") { workflowProfile { name version } }
		rotateWorkflowSecret(id: $id, secret: TASKS) { secret oldSecretUntil } }`, nodetest.Vars{"id": id})
	if !strings.Contains(string(data), `{"name":"Sport","version":1}`) || !strings.Contains(string(data), `"whsec_`) ||
		strings.Contains(string(data), `"oldSecretUntil":null`) {
		t.Errorf("got %s", data)
	}
	var checks struct {
		WorkflowProfileCheck struct {
			Steps    []struct{ Key, Effect string }
			Problems []struct{ Pointer, Detail string }
		}
	}
	data = n.GraphQL(`query ($id: ID!) { workflowProfileCheck(id: $id) { steps { key effect } problems { pointer detail } } }`, nodetest.Vars{"id": id})
	if err := json.Unmarshal(data, &checks); err != nil {
		t.Fatal(err)
	}
	rest := n.Call(http.MethodPost, path+"/check", "").WantStatus(t, http.StatusOK).Object(t)
	if steps := checks.WorkflowProfileCheck.Steps; len(steps) != 4 || len(rest["steps"].([]any)) != 4 || steps[0].Key != "tell" ||
		len(checks.WorkflowProfileCheck.Problems) != len(rest["problems"].([]any)) {
		t.Errorf("got %s, over REST %v", data, rest)
	}
	data = n.GraphQL(`query ($id: ID!) { workflowProfile(id: $id) { one: versionNumbered(version: 1) { tasks { at } } none: versionNumbered(version: 9) { version } } }`,
		nodetest.Vars{"id": id})
	if string(data) != `{"workflowProfile":{"one":{"tasks":[{"at":"BEFORE_ACTION"}]},"none":null}}` {
		t.Errorf("got %s", data)
	}
	long := make([]nodetest.Vars, 21)
	for i := range long {
		long[i] = nodetest.Vars{"key": fmt.Sprint("a", i), "kind": "PROCESS"}
	}
	_, codes := n.TryGraphQL(create, nodetest.Vars{"i": nodetest.Vars{"name": "Long", "actions": long}})
	if !slices.Equal(codes, []string{"INVALID_INPUT"}) {
		t.Errorf("21 actions: got %q", codes)
	}
}

func TestWorkflowProfiles_AnActionChangesOnlyItsOwnProfileAndIsAuditedWithoutSecrets(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, profilesPath, newsroom).WantStatus(t, http.StatusCreated)
	path := profilesPath + "/" + made.Field(t, "id")
	copied := n.Call(http.MethodPost, path+"/copy", `{"name":"Sport"}`).WantStatus(t, http.StatusCreated)
	if location := copied.Header.Get("Location"); location != n.URL+profilesPath+"/"+copied.Field(t, "id") {
		t.Errorf("the location is %s", location)
	}
	n.Call(http.MethodPatch, path, `{"tasks":[{"key":"tell","at":"workflow_start","url":"https://other.example/?secret","headers":{"X-Key":"another secret"}}]}`).
		WantStatus(t, http.StatusOK)
	rotated := n.Call(http.MethodPost, path+"/rotate-secret", `{"secret":"tasks"}`).WantStatus(t, http.StatusOK)
	secret := rotated.Field(t, "secret")
	if !strings.HasPrefix(secret, "whsec_") || rotated.Object(t)["old_secret_until"] == nil {
		t.Errorf("got %s", rotated.Body)
	}
	n.Call(http.MethodPost, path+"/rotate-secret", `{"secret":"downloads"}`).
		WantProblem(t, "a secret that there is not", http.StatusBadRequest, "INVALID_INPUT")
	audit := string(n.Call(http.MethodGet, "/api/v1/audit?limit=200", "").WantStatus(t, http.StatusOK).Body)
	for _, want := range []string{`"action":"workflow-profile.created"`, `"copy_of":"` + made.Field(t, "id") + `"`,
		`"action":"workflow-profile.updated"`, `"host":"other.example"`, `"version":[1,2]`, `"action":"workflow-profile.secret-rotated"`} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit log has no %s: %s", want, audit)
		}
	}
	for _, never := range []string{"another secret", `"secret"]`, "?secret", "b=secret", secret} {
		if strings.Contains(audit, never) {
			t.Errorf("the audit log shows %s", never)
		}
	}
	var sealed int
	err := n.Pool.QueryRow(t.Context(), `SELECT count(*) FROM hook WHERE workflow_profile_id = $1 AND secret = $2
		AND old_secret IS NOT NULL`, made.Field(t, "id"), secret).Scan(&sealed)
	if err != nil || sealed != 3 {
		t.Errorf("%d hooks of the profile have its new secret, %v", sealed, err)
	}
}
