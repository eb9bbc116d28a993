package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// The example that answers tasks decides how a workflow goes on.
func TestClients_AReceiverOfTasksDecidesHowAWorkflowGoesOn(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile := "/api/v1/workflow-profiles/" + n.Call(http.MethodPost, "/api/v1/workflow-profiles",
		`{"name":"Rights","actions":[{"key":"publish","kind":"publish","name":"Publish","settings":{"privacy":"public"}}]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	rotated := n.Call(http.MethodPost, profile+"/rotate-secret", `{"secret":"tasks"}`).WantStatus(t, http.StatusOK)
	lines := example(t, "receivers/task.mjs", rotated.Field(t, "secret"), "0")
	var heard struct {
		Listening    int
		Task, Action string
		Item         json.RawMessage
		Refused      string
	}
	hear := func() {
		t.Helper()
		if err := json.Unmarshal(nodetest.Next(t, lines), &heard); err != nil {
			t.Fatal(err)
		}
	}
	hear()
	n.Call(http.MethodPatch, profile, fmt.Sprintf(`{"tasks":[{"key":"rights","name":"Rights","at":"before_action",
		"action":"publish","kind":"http_post","url":"http://127.0.0.1:%d/","wait":true}]}`, heard.Listening),
		"Content-Type", "application/merge-patch+json").WantStatus(t, http.StatusOK)
	for name, want := range map[string][]string{
		"Metropolis":            {`"status":"completed"`, `"error":null`},
		"A draft of Metropolis": {`"status":"failed"`, `is a draft.`},
	} {
		id := n.CreateItem(fmt.Sprintf(`{"name":%q,"workflow_profile_id":%q}`, name, nodetest.PathID(profile)))
		if hear(); heard.Task != "rights" || heard.Action != "publish" || heard.Refused != "" ||
			!strings.Contains(string(heard.Item), id) {
			t.Errorf("%s: the receiver got %+v", name, heard)
		}
		nodetest.Eventually(t, "the workflow has ended as the receiver said", func() bool {
			run := string(n.Call(http.MethodGet, "/api/v1/items/"+id+"/workflow", "").Body)
			return strings.Contains(run, want[0]) && strings.Contains(run, want[1])
		})
	}
}
