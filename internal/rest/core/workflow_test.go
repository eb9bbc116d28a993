package core_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// runs is a node with a profile that has an edit, an approval by another role, and publishing, and a user of each role.
type runs struct {
	*nodetest.Node
	profile             string
	editor, chief       *nodetest.Client
	editorRole, chiefID string
}

// startRuns makes the profile. tasks is JSON.
func startRuns(t *testing.T, tasks string) *runs {
	t.Helper()
	n := &runs{Node: nodetest.Start(t)}
	may := []account.Permission{account.APIAccess, account.ItemsView, account.ItemsEdit, account.WorkflowsAct}
	n.editorRole = n.CreateRole("Reporter", may...)
	chief := n.CreateRole("Chief", may...)
	n.editor, n.chief = n.CreateUser("reporter@example.com", n.editorRole), n.CreateUser("chief@example.com", chief)
	n.chiefID = n.UserID("chief@example.com")
	n.profile = n.Call(http.MethodPost, "/api/v1/workflow-profiles", fmt.Sprintf(`{"name":"Newsroom","actions":[
		{"key":"edit","kind":"edit","name":"Edit","role_ids":[%q]},
		{"key":"approve","kind":"approve","name":"Approve","role_ids":[%q]},
		{"key":"publish","kind":"publish","name":"Publish","settings":{"privacy":"public"}}],"tasks":%s}`,
		n.editorRole, chief, tasks)).WantStatus(t, http.StatusCreated).Field(t, "id")
	return n
}

// newItem creates an item of the profile, and waits until its run waits for the editor.
func (n *runs) newItem() (id string) {
	n.T.Helper()
	id = n.CreateItem(fmt.Sprintf(`{"name":"Metropolis","workflow_profile_id":%q}`, n.profile))
	n.await(id, "waiting", "edit")
	return id
}

type shownRun struct {
	ID            string `json:"id"`
	Status        string `json:"status"`
	CurrentAction string `json:"current_action"`
	Explanation   string `json:"explanation"`
	Error         string `json:"error"`
	Actions       []struct{ Key, Status, Comment, Error string }
	Tasks         []struct{ Key, State string }
}

// await waits until the item's run has a status and is at an action.
func (n *runs) await(id, status, action string) (run shownRun) {
	n.T.Helper()
	nodetest.Eventually(n.T, "the run is "+status+" at "+action, func() bool {
		body := n.Call(http.MethodGet, workflowOf(id), "").WantStatus(n.T, http.StatusOK).Body
		run = shownRun{}
		if err := json.Unmarshal(body, &run); err != nil {
			n.T.Fatal(err)
		}
		return run.Status == status && (action == "" || run.CurrentAction == action)
	})
	return run
}

func workflowOf(id string) string { return "/api/v1/items/" + id + "/workflow" }

func TestWorkflow_PeopleTakeARunToItsEnd(t *testing.T) {
	t.Parallel()
	receiver, deliveries := nodetest.StartReceiver(t)
	n := startRuns(t, `[{"key":"tell","name":"Tell","at":"after_action","action":"approve","kind":"http_post","url":"`+
		receiver+`"}]`)
	id := n.newItem()
	if waits := n.await(id, "waiting", "edit"); !strings.Contains(waits.Explanation, "Reporter") {
		t.Errorf("it says that it waits for %q", waits.Explanation)
	}
	inbox := func(by *nodetest.Client) (waiting int) {
		return len(by.Call(http.MethodGet, "/api/v1/workflows?for_me=true", "").WantStatus(t, http.StatusOK).Results(t))
	}
	if mine, theirs := inbox(n.editor), inbox(n.chief); mine != 1 || theirs != 0 {
		t.Errorf("%d wait for the reporter, %d for the chief", mine, theirs)
	}
	path := workflowOf(id) + "/actions/"
	n.chief.Call(http.MethodPost, path+"edit/complete", "").
		WantProblem(t, "another's step", http.StatusForbidden, "FORBIDDEN")
	n.editor.Call(http.MethodPost, path+"edit/approve", "").
		WantProblem(t, "an edit is not approved", http.StatusConflict, "ACTION_NOT_WAITING")
	n.editor.Call(http.MethodPost, path+"nothing/complete", "").
		WantProblem(t, "an unknown action", http.StatusNotFound, "NOT_FOUND")
	key := []string{"Idempotency-Key", "the one key"}
	done := n.editor.Call(http.MethodPost, path+"edit/complete", `{"comment":"Checked the year."}`, key...).
		WantStatus(t, http.StatusOK)
	again := n.editor.Call(http.MethodPost, path+"edit/complete", `{"comment":"Checked the year."}`, key...)
	if string(again.Body) != string(done.Body) || done.Header.Get("ETag") != "" {
		t.Errorf("first %s, then %d %s", done.Body, again.Status, again.Body)
	}
	n.editor.Call(http.MethodPost, path+"edit/complete", "").
		WantProblem(t, "acting twice", http.StatusConflict, "ACTION_NOT_WAITING")
	n.await(id, "waiting", "approve")
	if mine, theirs := inbox(n.editor), inbox(n.chief); mine != 0 || theirs != 1 {
		t.Errorf("then %d wait for the reporter, %d for the chief", mine, theirs)
	}
	n.chief.Call(http.MethodPost, path+"approve/approve", `{}`).WantStatus(t, http.StatusOK)
	run := n.await(id, "completed", "")
	if run.Explanation != "" || run.Actions[0].Comment != "Checked the year." || run.Actions[2].Status != "succeeded" {
		t.Errorf("the run is %+v", run)
	}
	if sent := <-deliveries; sent.Header.Get("Itemcast-Task") != "tell" || !strings.Contains(string(sent.Body), id) {
		t.Errorf("the task sent %v %s", sent.Header, sent.Body)
	}
	item := n.Call(http.MethodGet, "/api/v1/items/"+id, "")
	if text := string(item.Body); !strings.Contains(text, `"privacy":"public"`) ||
		!strings.Contains(text, `"status":"completed"`) {
		t.Errorf("the item is %s", text)
	}
	n.Call(http.MethodPost, workflowOf(id)+"/cancel", "").
		WantProblem(t, "cancelling an ended run", http.StatusConflict, "CONFLICT")
	nodetest.Eventually(t, "the task has succeeded", func() bool {
		return n.await(id, "completed", "").Tasks[0].State == "succeeded"
	})
	n.wantHistory(id, "workflow_started", "action_waiting", "action_succeeded", "task_recorded", "task_succeeded",
		"workflow_completed")
}

// wantHistory checks that the history, read in pages of two, has these events, each once, and the approval's user.
func (n *runs) wantHistory(id string, want ...string) {
	n.T.Helper()
	seen, total := map[string]bool{}, 0
	var events []string
	for next := workflowOf(id) + "/history?limit=2"; next != ""; {
		page := n.Call(http.MethodGet, next, "").WantStatus(n.T, http.StatusOK)
		for _, event := range page.Results(n.T) {
			total++
			seen[event["id"].(string)] = true
			events = append(events, event["event"].(string))
			if event["event"] == "action_succeeded" && event["action"] == "approve" && event["user_id"] != n.chiefID {
				n.T.Errorf("the approval is by %v", event["user_id"])
			}
		}
		next = ""
		var links struct{ Next *string }
		if err := json.Unmarshal(page.Body, &links); err != nil {
			n.T.Fatal(err)
		}
		if links.Next != nil {
			address, err := url.Parse(*links.Next)
			if err != nil {
				n.T.Fatal(err)
			}
			next = address.RequestURI()
		}
	}
	if len(seen) != total {
		n.T.Errorf("%d events, %d of them different", total, len(seen))
	}
	for _, event := range want {
		if !slices.Contains(events, event) {
			n.T.Errorf("the history lacks %s: %q", event, events)
		}
	}
}

func TestWorkflow_ARejectFailsTheRunWhichCanStartAgain(t *testing.T) {
	t.Parallel()
	n := startRuns(t, `[]`)
	id := n.newItem()
	n.Call(http.MethodPost, workflowOf(id), "").WantProblem(t, "a running workflow", http.StatusConflict, "WORKFLOW_RUNNING")
	n.editor.Call(http.MethodPost, workflowOf(id)+"/actions/edit/complete", "").WantStatus(t, http.StatusOK)
	n.await(id, "waiting", "approve")
	n.chief.Call(http.MethodPost, workflowOf(id)+"/actions/approve/reject", `{"comment":"The wrong year."}`).
		WantStatus(t, http.StatusOK)
	first := n.await(id, "failed", "approve")
	if !strings.Contains(first.Error, "The wrong year.") || first.Actions[1].Status != "failed" {
		t.Errorf("the run is %+v", first)
	}
	n.editor.Call(http.MethodPost, workflowOf(id), `{"from":"no such action"}`).
		WantProblem(t, "an unknown action", http.StatusUnprocessableEntity, "RULE_VIOLATED")
	n.editor.Call(http.MethodPost, workflowOf(id), `{"from":"approve"}`).WantStatus(t, http.StatusAccepted)
	second := n.await(id, "waiting", "approve")
	if second.ID == first.ID || second.Actions[0].Status != "skipped" {
		t.Errorf("then the run is %+v", second)
	}
	n.editor.Call(http.MethodPost, workflowOf(id)+"/cancel", "").
		WantProblem(t, "cancelling at an action of another role", http.StatusForbidden, "FORBIDDEN")
	n.chief.Call(http.MethodPost, workflowOf(id)+"/cancel", "").WantStatus(t, http.StatusOK)
	n.await(id, "cancelled", "")
	n.Call(http.MethodGet, "/api/v1/items/"+n.CreateItem(`{"name":"a"}`)+"/workflow", "").
		WantProblem(t, "an item without a run", http.StatusNotFound, "NOT_FOUND")
}

func TestWorkflow_RunsAreListedByFilterAndPage(t *testing.T) {
	t.Parallel()
	n := startRuns(t, `[]`)
	var want []string
	for range 3 {
		want = append([]string{n.newItem()}, want...)
	}
	list := func(query string) (items []string) {
		t.Helper()
		for next := "/api/v1/workflows?" + query; next != ""; {
			page := n.Call(http.MethodGet, next, "").WantStatus(t, http.StatusOK)
			for _, run := range page.Results(t) {
				items = append(items, run["item_id"].(string))
			}
			_, rest, _ := strings.Cut(page.Header.Get("Link"), "<"+n.URL)
			next, _, _ = strings.Cut(rest, ">")
		}
		return items
	}
	n.editor.Call(http.MethodPost, workflowOf(want[1])+"/cancel", "").WantStatus(t, http.StatusOK)
	for query, items := range map[string][]string{
		"limit=2":                              want,
		"limit=1&status=waiting":               {want[0], want[2]},
		"status=waiting,cancelled&action=edit": want,
		"status=completed":                     nil,
		"action=approve":                       nil,
		"profile_id=" + n.profile:              want,
		"profile_id=" + want[0]:                nil,
	} {
		if got := list(query); !slices.Equal(got, items) {
			t.Errorf("%s: %q, want %q", query, got, items)
		}
	}
	for _, query := range []string{"status=done", "for_me=perhaps", "profile_id=x", "after=x", "limit=201"} {
		if got := n.Call(http.MethodGet, "/api/v1/workflows?"+query, ""); got.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
}

func TestWorkflow_ARunSaysThatItsPeopleNoLongerSeeTheItem(t *testing.T) {
	t.Parallel()
	n := startRuns(t, `[]`)
	waiting, coming := n.newItem(), n.newItem()
	n.editor.Call(http.MethodPost, workflowOf(waiting)+"/actions/edit/complete", "").WantStatus(t, http.StatusOK)
	n.await(waiting, "waiting", "approve")
	n.Call(http.MethodPatch, profilesPath+"/"+n.profile, fmt.Sprintf(
		`{"role_ids":[%q],"actions":[{"key":"edit","kind":"edit","role_ids":[%q]}]}`, n.editorRole, n.editorRole)).
		WantStatus(t, http.StatusOK)
	explanation := func(id string) string {
		return n.editor.Call(http.MethodGet, workflowOf(id), "").WantStatus(t, http.StatusOK).Field(t, "explanation")
	}
	const want = "Waits for a person with the role Chief, but nobody can act: the role Chief does not see the item, " +
		"because its profile is limited to other roles."
	if got := explanation(waiting); got != want {
		t.Errorf("the run says %q, want %q", got, want)
	}
	if got := explanation(coming); got != "Waits for a person with the role Reporter." {
		t.Errorf("the other run says %q", got)
	}
	check := string(n.Call(http.MethodPost, profilesPath+"/"+n.profile+"/check", "").WantStatus(t, http.StatusOK).Body)
	for _, want := range []string{
		"Unfinished runs of version 1 (1) stand at approve, where nobody can act: the role Chief does not see the items",
		"Unfinished runs of version 1 (1) will come to approve, where nobody can act: the role Chief does not see the items",
	} {
		if !strings.Contains(check, want) {
			t.Errorf("the check does not say %q: %s", want, check)
		}
	}
}

func TestWorkflow_ARecordedTaskNamesItsDeliveryBeforeItHasEnded(t *testing.T) {
	t.Parallel()
	n := startRuns(t, `[{"key":"tell","name":"Tell","at":"after_action","action":"edit","kind":"http_post",
		"url":"http://127.0.0.1:1024/","wait":true}]`)
	id := n.newItem()
	n.editor.Call(http.MethodPost, workflowOf(id)+"/actions/edit/complete", "").WantStatus(t, http.StatusOK)
	var run struct {
		ItemName string `json:"item_name"`
		Tasks    []struct {
			State      string
			DeliveryID string `json:"delivery_id"`
		}
	}
	nodetest.Eventually(t, "the delivery has an id", func() bool {
		body := n.Call(http.MethodGet, workflowOf(id), "").WantStatus(t, http.StatusOK).Body
		if err := json.Unmarshal(body, &run); err != nil {
			t.Fatal(err)
		}
		return run.Tasks[0].State == "sending" && run.Tasks[0].DeliveryID != ""
	})
	if run.ItemName != "Metropolis" {
		t.Errorf("the run's item is %q", run.ItemName)
	}
	for _, event := range n.Call(http.MethodGet, workflowOf(id)+"/history", "").WantStatus(t, http.StatusOK).Results(t) {
		switch event["event"] {
		case "task_recorded":
			if event["delivery_id"] != run.Tasks[0].DeliveryID {
				t.Errorf("the event is %v, want the delivery %s", event, run.Tasks[0].DeliveryID)
			}
		case "task_failed", "task_succeeded":
			t.Errorf("the delivery has ended: %v", event)
		}
	}
}
