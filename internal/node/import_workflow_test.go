package node_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// workflowOf returns the workflow in an item's document.
func workflowOf(by *nodetest.Client, id string) string {
	by.T.Helper()
	return by.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(by.T, http.StatusOK).Field(by.T, "workflow")
}

func importLines(by *nodetest.Client, query, lines, want string) {
	by.T.Helper()
	got := by.Call(http.MethodPost, "/api/v1/items/import"+query, lines, "Content-Type", "application/x-ndjson").
		WantStatus(by.T, http.StatusOK)
	if !strings.Contains(string(got.Body), want) {
		by.T.Errorf("the import reports %s, want %s", got.Body, want)
	}
}

// A client that knows of no workflows sends its items again and again. That neither ends nor disturbs a workflow.
func TestWorkflow_AnInputThatNamesNoProfileKeepsThatOfItsItem(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	asking := n.Call(http.MethodPost, "/api/v1/workflow-profiles",
		`{"name":"Ask","actions":[{"key":"ok","kind":"approve","name":"Approve"}]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	setDefault(n, "account", asking)
	id := newID()
	importLines(n.Client, "", `{"id":"`+id+`","name":"a"}`, `"created":1`)
	nodetest.Eventually(t, "the workflow waits", func() bool { return strings.Contains(workflowOf(n.Client, id), `"waiting"`) })
	before := workflowOf(n.Client, id)
	importLines(n.Client, "", `{"id":"`+id+`","name":"a"}`, `"unchanged":1`)
	importLines(n.Client, "", `{"id":"`+id+`","name":"b"}`, `"updated":1`)
	for _, table := range []string{"id,name\n" + id + ",c", "id,name,workflow_profile_id\n" + id + ",d,"} {
		got := n.Call(http.MethodPost, "/api/v1/items/import", table, "Content-Type", "text/csv").WantStatus(t, http.StatusOK)
		if !strings.Contains(string(got.Body), `"updated":1`) {
			t.Errorf("the import of a table reports %s", got.Body)
		}
	}
	n.Call(http.MethodPut, "/api/v1/items/"+id, `{"name":"e"}`).WantStatus(t, http.StatusOK)
	n.GraphQL(`mutation ($id: ID!) { replaceItem(id: $id, input: {name: "f"}) { item { id } } }`, nodetest.Vars{"id": id})
	if after := workflowOf(n.Client, id); after != before {
		t.Errorf("the workflow is %s, want %s", after, before)
	}

	// Null removes the profile, once the workflow has ended.
	importLines(n.Client, "", `{"id":"`+id+`","name":"g","workflow_profile_id":null}`, `"rejected":1`)
	n.Call(http.MethodPut, "/api/v1/items/"+id, `{"name":"g","workflow_profile_id":null}`).
		WantProblem(t, "running", http.StatusConflict, "WORKFLOW_RUNNING")
	_, codes := n.TryGraphQL(`mutation ($id: ID!) { replaceItem(id: $id, input: {name: "g", workflowProfileId: null}) { item { id } } }`,
		nodetest.Vars{"id": id})
	if strings.Join(codes, " ") != "WORKFLOW_RUNNING" {
		t.Errorf("over GraphQL: %q", codes)
	}
	n.Call(http.MethodPost, "/api/v1/items/"+id+"/workflow/cancel", "").WantStatus(t, http.StatusOK)
	n.Call(http.MethodPut, "/api/v1/items/"+id, `{"name":"g","workflow_profile_id":null}`).WantStatus(t, http.StatusOK)
	if after := workflowOf(n.Client, id); after != "null" && after != "" {
		t.Errorf("after null, the workflow is %s", after)
	}
}

// A restored item whose workflow had ended is as it was. A restored workflow that had not ended begins again.
func TestWorkflow_ARestoredOneThatHadEndedDoesNotStartAgain(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile := func(name, actions string) string {
		return n.Call(http.MethodPost, "/api/v1/workflow-profiles", `{"name":"`+name+`","actions":[`+actions+`]}`).
			WantStatus(t, http.StatusCreated).Field(t, "id")
	}
	publishing := profile("Publish", `{"key":"go","kind":"publish","name":"Publish"}`)
	asking := profile("Ask", `{"key":"ok","kind":"approve","name":"Approve"}`)
	ended := n.CreateItem(`{"name":"ended","workflow_profile_id":"` + publishing + `"}`)
	waiting := n.CreateItem(`{"name":"waiting","workflow_profile_id":"` + asking + `"}`)
	nodetest.Eventually(t, "one has ended, and one waits", func() bool {
		return strings.Contains(workflowOf(n.Client, ended), `"completed"`) &&
			strings.Contains(workflowOf(n.Client, waiting), `"waiting"`)
	})
	n.PatchItem(ended, `{"privacy":"private"}`)
	before := n.Call(http.MethodGet, "/api/v1/items/"+ended, "").WantStatus(t, http.StatusOK).Object(t)
	exported := string(n.Call(http.MethodGet, "/api/v1/items/export", "").WantStatus(t, http.StatusOK).Body)
	importLines(n.Client, "?keep_times=true", exported, `"unchanged":2`)
	for _, id := range []string{ended, waiting} {
		n.Call(http.MethodDelete, "/api/v1/items/"+id, "").WantStatus(t, http.StatusNoContent)
	}
	importLines(n.Client, "?keep_times=true", exported, `"created":2`)
	nodetest.Eventually(t, "the other workflow waits again", func() bool {
		return strings.Contains(workflowOf(n.Client, waiting), `"waiting"`)
	})
	after := n.Call(http.MethodGet, "/api/v1/items/"+ended, "").WantStatus(t, http.StatusOK)
	for _, field := range []string{"privacy", "published_at", "updated_at", "created_at"} {
		if got := after.Object(t)[field]; got != before[field] {
			t.Errorf("%s is %v, want %v", field, got, before[field])
		}
	}
	if got := after.Field(t, "workflow"); !strings.Contains(got, `"completed"`) || !strings.Contains(got, publishing) {
		t.Errorf("the workflow is %s", got)
	}
	n.Call(http.MethodGet, "/api/v1/items/"+ended+"/workflow", "").WantProblem(t, "no run", http.StatusNotFound, "NOT_FOUND")
	importLines(n.Client, "?keep_times=true", exported, `"unchanged":2`)

	// Who wants it starts it again; and an import without keep_times is no restoration.
	n.Call(http.MethodPost, "/api/v1/items/"+ended+"/workflow", `{}`).WantStatus(t, http.StatusAccepted)
	nodetest.Eventually(t, "it is published", func() bool {
		return n.Call(http.MethodGet, "/api/v1/items/"+ended, "").Field(t, "privacy") == "public"
	})
	copied := newID()
	importLines(n.Client, "", `{"id":"`+copied+`","name":"copy","workflow":{"profile_id":"`+publishing+
		`","status":"completed","current_action":null}}`, `"created":1`)
	nodetest.Eventually(t, "the copy is published", func() bool {
		return n.Call(http.MethodGet, "/api/v1/items/"+copied, "").Field(t, "privacy") == "public"
	})
}
