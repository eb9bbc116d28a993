package browse_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// A newsroom's profile is made in the page, and its people act in the pages.
func TestBrowser_ANewsroomIsMadeAndUsedInThePages(t *testing.T) {
	t.Parallel()
	receiver, deliveries := nodetest.StartReceiver(t)
	n := nodetest.Start(t)
	role := n.RoleID("Administrator")
	b := openTab(t, n)
	b.open("/api/v1/workflow-profiles")
	b.openForm("createWorkflowProfile")
	b.fill(`#createWorkflowProfile-name`, "Newsroom")
	b.fillRow("actions", 0, "key", "edit", "kind", "edit", "name", "Edit", "role_ids", role)
	b.fillRow("actions", 1, "key", "approve", "kind", "approve", "name", "Approve")
	b.fillRow("actions", 2, "key", "publish", "kind", "publish", "name", "Publish", "settings", `{"privacy": "secret"}`)
	b.fillRow("tasks", 0, "key", "tell", "name", "Tell", "at", "after_action", "action", "approve", "kind", "http_post",
		"url", receiver)
	if status := b.submit("createWorkflowProfile"); status != http.StatusBadRequest {
		t.Errorf("a wrong setting leads to status %d", status)
	}
	b.waitText(`[id="createWorkflowProfile-actions.2.settings-error"]`, "privacy")
	b.fillRow("actions", 2, "settings", `{"privacy": "public"}`)
	b.submit("createWorkflowProfile")
	b.waitText(".notice", "Created: POST answered 201 Created.")
	profile := nodetest.PathID(b.path())
	item := createItem(n, fmt.Sprintf(`{"name":"Metropolis","workflow_profile_id":%q}`, profile))
	waitsAt := func(action string) {
		t.Helper()
		nodetest.Eventually(t, "the run waits at "+action, func() bool {
			run := string(n.Call(http.MethodGet, item+"/workflow", "").Body)
			return strings.Contains(run, `"status":"waiting","current_action":"`+action+`"`)
		})
	}
	waitsAt("edit")
	b.open("/api/v1/workflows?for_me=true")
	b.follow(`#body a[href="` + item + `/workflow"]`)
	b.wantPath(item + "/workflow")
	b.follow(`a[href="` + item + `/workflow/actions/edit/complete"]`)
	b.fill(`#completeAction-comment`, "The year is right.")
	b.submit("completeAction")
	b.wantPath(item + "/workflow")
	b.waitText(".notice", "Done: POST answered 200 OK.")
	b.waitText("#body", "The year is right.")
	waitsAt("approve")
	b.open(item + "/workflow")
	if steps := b.text(`section[aria-labelledby="steps"]`); strings.Contains(steps, "complete") ||
		!strings.Contains(steps, "Reject an action") {
		t.Errorf("the page offers %s", steps)
	}
	b.follow(`a[href="` + item + `/workflow/actions/approve/approve"]`)
	b.submit("approveAction")
	b.wantPath(item + "/workflow")
	if sent := nodetest.Next(t, deliveries); !strings.Contains(string(sent.Body), nodetest.PathID(item)) {
		t.Errorf("the task sent %s", sent.Body)
	}
	nodetest.Eventually(t, "it is published", func() bool {
		return strings.Contains(string(n.Call(http.MethodGet, item, "").Body), `"privacy":"public"`)
	})
	b.open(item + "/workflow")
	b.follow(`.related a[href="` + item + `/workflow/history"]`)
	b.waitText("#body", "workflow_completed")
	b.open("/api/v1/workflow-profiles/" + profile)
	b.openForm("patchWorkflowProfile")
	_ = eval[bool](b, `document.querySelector('[name="body.actions.0._remove"]').checked = true`)
	b.submit("patchWorkflowProfile")
	if got := string(n.Call(http.MethodGet, b.path(), "").Body); strings.Contains(got, `"key":"edit"`) {
		t.Errorf("the profile is %s", got)
	}
}

// fillRow fills in fields of a row, given as names and values.
func (b *tab) fillRow(array string, row int, fields ...string) {
	b.t.Helper()
	for i := 0; i < len(fields); i += 2 {
		control := fmt.Sprintf(`[name="body.%s.%d.%s"]`, array, row, fields[i])
		open := fmt.Sprintf(`document.querySelector('%s').closest('details').open = true`, control)
		_ = eval[bool](b, open)
		b.fill(control, fields[i+1])
	}
}
