package graph_test

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

// approvals is a profile whose items wait for an approval by one role.
func approvals(n *nodetest.Node, role string) (profile string) {
	n.T.Helper()
	return n.Call(http.MethodPost, "/api/v1/workflow-profiles", fmt.Sprintf(
		`{"name":"Approvals","actions":[{"key":"approve","kind":"approve","name":"Approve","role_ids":[%q]}]}`, role)).
		WantStatus(n.T, http.StatusCreated).Field(n.T, "id")
}

// actor makes a role that may act, and a user with it.
func actor(n *nodetest.Node, name string) (by *nodetest.Client, role string) {
	role = n.CreateRole(name, account.APIAccess, account.ItemsView, account.WorkflowsAct)
	return n.CreateUser(name+"@example.com", role), role
}

type workflowChange struct {
	Cursor, Kind string
	Item         struct {
		ID       string
		Workflow struct{ Status, CurrentAction string }
	}
	Run *struct{ ID, Status string }
}

const followWorkflows = `subscription ($after: Cursor, $forMe: Boolean) { workflowChanges(after: $after, forMe: $forMe) {
	cursor kind item { id workflow { status currentAction } } run { id status } } }`

// nextWorkflow returns the next message of a subscription to workflows.
func nextWorkflow(s *nodetest.Socket) workflowChange {
	s.T.Helper()
	kind, payload := s.Receive()
	var response struct {
		Data   struct{ WorkflowChanges workflowChange }
		Errors json.RawMessage
	}
	if err := json.Unmarshal(payload, &response); err != nil || kind != "next" || response.Errors != nil {
		s.T.Fatalf("got %s %s, want a change of a workflow", kind, payload)
	}
	return response.Data.WorkflowChanges
}

func TestWorkflowChanges_FollowEveryStepAndResume(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	chief, role := actor(n, "chief")
	profile := approvals(n, role)
	all := n.Subscribe(followWorkflows, nil)
	n.CreateItem(`{"name":"without a workflow"}`)
	id := n.CreateItem(fmt.Sprintf(`{"name":"a","workflow_profile_id":%q}`, profile))
	var seen []workflowChange
	until := func(s *nodetest.Socket, status string) {
		t.Helper()
		for seen = nil; len(seen) == 0 || seen[len(seen)-1].Item.Workflow.Status != status; {
			seen = append(seen, nextWorkflow(s))
		}
	}
	until(all, "waiting")
	waiting := seen[len(seen)-1]
	if seen[0].Kind != "CREATED" || seen[0].Item.Workflow.Status != "pending" || waiting.Item.ID != id ||
		waiting.Item.Workflow.CurrentAction != "approve" || waiting.Run == nil || waiting.Run.Status != "WAITING" {
		t.Errorf("got %+v", seen)
	}
	n.PatchItem(id, `{"description":"no step of the workflow"}`)
	chief.GraphQL(`mutation ($id: ID!) { approveAction(itemId: $id, key: "approve", comment: "Good.") { run { status } } }`,
		nodetest.Vars{"id": id})
	until(all, "completed")
	live := len(seen)
	resumed := n.Subscribe(followWorkflows, nodetest.Vars{"after": waiting.Cursor})
	if until(resumed, "completed"); len(seen) != live || seen[0].Kind != "UPDATED" {
		t.Errorf("live %d changes, resumed %+v", live, seen)
	}
	n.Call(http.MethodDelete, "/api/v1/items/"+id, "").WantStatus(t, http.StatusNoContent)
	if gone := nextWorkflow(all); gone.Kind != "DELETED" || gone.Item.ID != id || gone.Run != nil {
		t.Errorf("after its deletion %+v", gone)
	}
}

// An inbox is told what begins to wait for its role, and what no longer does, also after the profile has changed.
func TestWorkflowChanges_ForMeAreThoseOfAnInbox(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	chief, role := actor(n, "chief")
	other, otherRole := actor(n, "other")
	viewer := n.CreateUser("viewer@example.com", n.CreateRole("onlooker", account.APIAccess, account.ItemsView))
	profile := approvals(n, role)
	forMe := nodetest.Vars{"forMe": true}
	mine, theirs, nobodys := chief.Subscribe(followWorkflows, forMe), other.Subscribe(followWorkflows, forMe),
		viewer.Subscribe(followWorkflows, forMe)
	first := n.CreateItem(fmt.Sprintf(`{"name":"a","workflow_profile_id":%q}`, profile))
	entered := nextWorkflow(mine)
	if entered.Kind != "ENTERED" || entered.Item.ID != first || entered.Run == nil || entered.Run.Status != "WAITING" {
		t.Errorf("got %+v", entered)
	}
	n.Call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, fmt.Sprintf(
		`{"actions":[{"key":"approve","kind":"approve","name":"Approve","role_ids":[%q]}]}`, otherRole),
		"Content-Type", "application/merge-patch+json").WantStatus(t, http.StatusOK)
	second := n.CreateItem(fmt.Sprintf(`{"name":"b","workflow_profile_id":%q}`, profile))
	if got := nextWorkflow(theirs); got.Kind != "ENTERED" || got.Item.ID != second {
		t.Errorf("the other role got %+v", got)
	}
	chief.GraphQL(`mutation ($id: ID!) { rejectAction(itemId: $id, key: "approve") { run { status error } } }`,
		nodetest.Vars{"id": first})
	if got := nextWorkflow(mine); got.Kind != "LEFT" || got.Item.ID != first || got.Item.Workflow.Status != "failed" {
		t.Errorf("after the reject %+v", got)
	}
	n.Call(http.MethodDelete, "/api/v1/items/"+second, "").WantStatus(t, http.StatusNoContent)
	if got := nextWorkflow(theirs); got.Kind != "DELETED" || got.Item.ID != second {
		t.Errorf("after the deletion %+v", got)
	}
	again := chief.Subscribe(followWorkflows, nodetest.Vars{"forMe": true, "after": entered.Cursor})
	if got := nextWorkflow(again); got.Kind != "LEFT" || got.Item.ID != first {
		t.Errorf("resumed %+v", got)
	}
	n.Call(http.MethodDelete, "/api/v1/items/"+first, "").WantStatus(t, http.StatusNoContent)
	nobodys.Send(nodetest.Frame{"type": "subscribe", "id": "2", "payload": nodetest.Frame{"query": `{ me { name } }`}})
	if _, payload := nobodys.Receive(); !strings.Contains(string(payload), `"me"`) {
		t.Errorf("a viewer's inbox got %s", payload)
	}
}

func TestWorkflowRun_OfAListReadsAllRunsAtOnce(t *testing.T) {
	t.Parallel()
	n, trace := nodetest.StartTraced(t)
	chief, role := actor(n, "chief")
	profile := approvals(n, role)
	var ids []string
	for range 30 {
		ids = append(ids, n.CreateItem(fmt.Sprintf(`{"name":"a","workflow_profile_id":%q}`, profile)))
	}
	n.CreateItem(`{"name":"without a workflow"}`)
	nodetest.Eventually(t, "all wait", func() bool {
		return strings.Count(string(n.GraphQL(`{ workflows(filter: {statuses: [WAITING]}) { nodes { id } } }`, nil)), `"id"`) == 30
	})
	chief.GraphQL(`mutation ($id: ID!) { approveAction(itemId: $id, key: "approve") { run { id } } }`, nodetest.Vars{"id": ids[0]})
	const list = `{ items { nodes { name workflowRun { status actions { key user { name } } tasks { state } item { name } } } } }`
	var got struct {
		Items struct {
			Nodes []struct{ WorkflowRun *struct{ Status string } }
		}
	}
	var statements []string
	// The page, its runs, their roles, users and items. On a busy machine a loader splits what it collects, so the budget
	// holds for the best of some tries.
	nodetest.Eventually(t, "the list takes 9 statements", func() bool {
		statements = trace.During(func() {
			if err := json.Unmarshal(n.GraphQL(list, nil), &got); err != nil {
				t.Fatal(err)
			}
		})
		return len(statements) <= 9
	})
	runs := 0
	for _, node := range got.Items.Nodes {
		if node.WorkflowRun != nil {
			runs++
		}
	}
	if runs != 30 || len(got.Items.Nodes) != 31 {
		t.Errorf("got %+v", got)
	}
	told := n.Call(http.MethodPost, "/api/v1/workflow-profiles", `{"name":"Told","actions":[{"key":"edit","kind":"edit"}],
		"tasks":[{"key":"tell","at":"workflow_start","url":"http://127.0.0.1:1024/","wait":true}]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	for range 10 {
		n.CreateItem(fmt.Sprintf(`{"name":"a","workflow_profile_id":%q}`, told))
	}
	const runsWithNames = `{ workflows(first: 50) { nodes { explanation item { name } actions { user { name } }
		tasks { state deliveryId } } } }`
	nodetest.Eventually(t, "all tasks are sent", func() bool {
		return strings.Count(string(n.GraphQL(runsWithNames, nil)), `"SENDING"`) == 10
	})
	// The runs, their answers, roles and deliveries; beside them the loaders of items and users.
	statements = slices.DeleteFunc(trace.During(func() { n.GraphQL(runsWithNames, nil) }), func(name string) bool {
		return strings.HasPrefix(name, "DocumentsByID") || strings.HasPrefix(name, "UsersByID")
	})
	if len(statements) > 4 {
		t.Errorf("runs with names: %d statements: %q", len(statements), statements)
	}
	inbox := `{ workflows(filter: {forMe: true}) { nodes { item { name } } pageInfo { hasNextPage } } }`
	if mine, theirs := string(chief.GraphQL(inbox, nil)), string(n.GraphQL(inbox, nil)); strings.Count(mine, `"name"`) != 29 ||
		strings.Contains(theirs, `"name"`) {
		t.Errorf("the chief's inbox is %s, the administrator's %s", mine, theirs)
	}
	history := string(n.GraphQL(`query ($id: ID!) { item(id: $id) { workflowHistory { nodes { event user { name } } } } }`,
		nodetest.Vars{"id": ids[0]}))
	if !strings.Contains(history, `"workflow_completed"`) {
		t.Errorf("the history is %s", history)
	}
}

func TestWorkflow_MutationsHaveTheCodesOfREST(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, role := actor(n, "chief")
	id := n.CreateItem(fmt.Sprintf(`{"name":"a","workflow_profile_id":%q}`, approvals(n, role)))
	bare := n.CreateItem(`{"name":"b"}`)
	nodetest.Eventually(t, "it waits", func() bool {
		return strings.Contains(string(n.GraphQL(`{ item(id: "`+id+`") { workflowRun { status } } }`, nil)), "WAITING")
	})
	for query, want := range map[string]string{
		`mutation { startWorkflow(itemId: "` + id + `") { run { id } } }`:                                                   "WORKFLOW_RUNNING",
		`mutation { completeAction(itemId: "` + id + `", key: "approve") { run { id } } }`:                                  "FORBIDDEN",
		`mutation { approveAction(itemId: "` + id + `", key: "none") { run { id } } }`:                                      "NOT_FOUND",
		`mutation { cancelWorkflow(itemId: "` + bare + `") { run { id } } }`:                                                "NOT_FOUND",
		`mutation { startWorkflow(itemId: "` + bare + `") { run { id } } }`:                                                 "RULE_VIOLATED",
		`{ workflows(first: 201) { nodes { id } } }`:                                                                        "INVALID_INPUT",
		`{ workflows(after: "x") { nodes { id } } }`:                                                                        "INVALID_PAGE_TOKEN",
		`{ workflows(first: 200) { nodes { actions { user { name } } item { history(first: 200) { nodes { kind } } } } } }`: "COMPLEXITY_LIMIT_EXCEEDED",
	} {
		if got, codes := n.TryGraphQL(query, nil); len(codes) != 1 || codes[0] != want {
			t.Errorf("%s: %s, want %s", query, got.Body, want)
		}
	}
}
