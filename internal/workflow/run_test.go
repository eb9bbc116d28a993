package workflow_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

func TestRun_EachAutomaticActionMakesOneChange(t *testing.T) {
	r := run(t, nil)
	d := actions(machine.Process, machine.Publish, machine.Archive, machine.Publish, machine.Archive)
	d.Actions[2].Settings.Tags = []string{"old", "done"}
	d.Tasks = []machine.Task{{Key: "begun", At: machine.AtStart}, {Key: "published", At: machine.AfterAction,
		Action: new("publish")}, {Key: "done", At: machine.AtComplete}}
	id := r.create(r.profile(d))
	got := r.awaitStatus(id, machine.Completed)
	r.wantLog(id, `
1 CREATED pending
2 UPDATED running process
2 TRIGGERED running process +begun
3 UPDATED running publish
4 UPDATED running archive
4 TRIGGERED running archive +published
5 UPDATED running publish2
6 UPDATED running archive2
7 UPDATED completed
7 TRIGGERED completed +done`)
	if i := r.item(id); i.Privacy != item.PrivacyPrivate || i.PublishedAt != nil ||
		!slices.Equal(i.Tags, []string{"archived", "done", "old"}) {
		t.Errorf("got %s, %v, %v", i.Privacy, i.PublishedAt, i.Tags)
	}
	if got.Explanation != nil || got.CurrentAction != nil || got.FinishedAt == nil || got.Actions[0].Error == nil ||
		got.Actions[0].Status != machine.ActionSkipped || got.Actions[1].Status != machine.ActionSucceeded {
		t.Errorf("got %+v", got)
	}
}

func TestRun_AProfileWithoutActionsAndTasksStartsNone(t *testing.T) {
	r := run(t, nil)
	id := r.create(r.profile(machine.Definition{}))
	if _, err := r.runs.RunOf(r.user, id); !problem.Is(err, problem.NotFound) {
		t.Errorf("got %v", err)
	}
	r.wantLog(id, "\n1 CREATED pending")
	if n := value[int](r, "SELECT count(*) FROM river_job"); n != 0 {
		t.Errorf("%d jobs", n)
	}
}

func TestRun_PeoplesStepsWaitForThem(t *testing.T) {
	r := run(t, nil)
	d := actions(machine.Edit, machine.Approve, machine.Publish)
	id := r.create(r.profile(d))
	waiting := r.awaitStatus(id, machine.Waiting)
	if waiting.Explanation == nil || *waiting.Explanation != "Waits for a person." || *waiting.CurrentAction != "edit" {
		t.Errorf("got %+v", waiting)
	}
	for _, c := range []struct {
		key  string
		verb machine.Verb
		want problem.Code
	}{
		{"approve", machine.VerbApprove, problem.ActionNotWaiting}, {"edit", machine.VerbReject, problem.ActionNotWaiting},
		{"none", machine.VerbComplete, problem.NotFound}, {"edit", machine.VerbComplete, ""},
		{"edit", machine.VerbComplete, problem.ActionNotWaiting}, {"approve", machine.VerbApprove, ""},
	} {
		got, err := r.runs.Act(r.user, id, c.key, c.verb, "Fine.")
		if c.want == "" && err != nil || c.want != "" && !problem.Is(err, c.want) {
			t.Errorf("%s %s: got %+v, %v, want %s", c.verb, c.key, got, err, c.want)
		}
	}
	ended := r.awaitStatus(id, machine.Completed)
	if a := ended.Actions[1]; a.UserID == nil || a.Comment == nil || *a.Comment != "Fine." {
		t.Errorf("got %+v", a)
	}
	if _, err := r.runs.Act(r.user, id, "edit", machine.VerbComplete, ""); !problem.Is(err, problem.ActionNotWaiting) {
		t.Errorf("after the end: got %v", err)
	}
	r.wantLog(id, `
1 CREATED pending
2 UPDATED waiting edit
3 UPDATED waiting approve
4 UPDATED running publish
5 UPDATED completed`)
	if i := r.item(id); i.Privacy != item.PrivacyPublic || i.PublishedAt == nil {
		t.Errorf("got %s, %v", i.Privacy, i.PublishedAt)
	}
	events, next, err := r.runs.History(r.user, id, 100, "")
	if err != nil || next != "" {
		t.Fatal(err)
	}
	var kinds []machine.EntryKind
	for _, e := range events {
		kinds = append(kinds, e.Event)
	}
	want := []machine.EntryKind{machine.RunCompleted, machine.ActionDone, machine.ActionDone, machine.ActionWaits,
		machine.ActionDone, machine.ActionWaits, machine.RunStarted}
	if !slices.Equal(kinds, want) {
		t.Errorf("got %v", kinds)
	}
	if e := events[2]; *e.Comment != "Fine." || e.Took == nil || *e.Action != "approve" {
		t.Errorf("got %+v", e)
	}
	first, next, err := r.runs.History(r.user, id, 3, "")
	if err != nil || len(first) != 3 || next == "" {
		t.Fatalf("got %v, %q, %v", first, next, err)
	}
	if rest, next, err := r.runs.History(r.user, id, 100, next); err != nil || len(rest) != 4 || next != "" {
		t.Errorf("got %v, %q, %v", rest, next, err)
	}
}

func TestRun_ItsItemKeepsTheProfile(t *testing.T) {
	r := run(t, nil)
	profile, other := r.profile(actions(machine.Edit)), r.profile(actions(machine.Publish))
	id := r.create(profile)
	r.awaitStatus(id, machine.Waiting)
	patch := []byte(`{"workflow_profile_id":"` + other.String() + `"}`)
	for _, p := range [][]byte{patch, []byte(`{"workflow_profile_id":null}`)} {
		if _, err := r.items.Patch(r.user, id, p, nil); !problem.Is(err, problem.WorkflowRunning) {
			t.Errorf("%s: got %v", p, err)
		}
	}
	if _, err := r.runs.Start(r.user, id, workflow.StartInput{}); !problem.Is(err, problem.WorkflowRunning) {
		t.Errorf("start: got %v", err)
	}
	if _, err := r.items.Patch(r.user, id, []byte(`{"name":"other"}`), nil); err != nil {
		t.Error(err)
	}
	cancelled, err := r.runs.CancelRun(r.user, id)
	if err != nil || cancelled.Status != machine.Cancelled {
		t.Fatalf("got %+v, %v", cancelled, err)
	}
	if _, err := r.runs.CancelRun(r.user, id); !problem.Is(err, problem.Conflict) {
		t.Errorf("cancel again: got %v", err)
	}
	if _, err := r.items.Patch(r.user, id, patch, nil); err != nil {
		t.Fatal(err)
	}
	r.awaitStatus(id, machine.Completed)
	started, err := r.runs.Start(r.user, id, workflow.StartInput{ProfileID: &profile})
	if err != nil || started.Status != machine.Pending || started.ProfileID != profile {
		t.Fatalf("got %+v, %v", started, err)
	}
	r.awaitStatus(id, machine.Waiting)
	if err := r.items.Delete(r.user, id, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.runs.Act(r.user, id, "edit", machine.VerbComplete, ""); !problem.Is(err, problem.NotFound) {
		t.Errorf("on a deleted item: got %v", err)
	}
	if n := value[int](r, "SELECT (SELECT count(*) FROM workflow_run) + (SELECT count(*) FROM workflow_event)"); n != 0 {
		t.Errorf("%d rows remain of a deleted item", n)
	}
}

// Only the roles of an action may skip it, unless it has succeeded in the item's last run, and cancel at it.
func TestStart_SkipsNoActionOfOtherRoles(t *testing.T) {
	r := run(t, nil)
	d := actions(machine.Approve, machine.Edit, machine.Publish)
	d.Actions[0].RoleIDs = []uuid.UUID{r.roles["Viewer"]}
	r.exec("UPDATE role SET permissions = permissions || '{workflows.act}' WHERE id = $1", r.roles["Viewer"])
	id, approver := r.create(r.profile(d)), r.member("Viewer", account.ItemsView, account.WorkflowsAct)
	from := func(by context.Context, key string) error {
		_, err := r.runs.Start(by, id, workflow.StartInput{From: &key})
		return err
	}
	cancel := func(by context.Context) {
		t.Helper()
		if _, err := r.runs.CancelRun(by, id); err != nil {
			t.Fatal(err)
		}
	}
	r.awaitStatus(id, machine.Waiting)
	if _, err := r.runs.CancelRun(r.user, id); !problem.Is(err, problem.Forbidden) {
		t.Errorf("cancel at an approval of others: %v", err)
	}
	cancel(approver)
	if err := from(r.user, "publish"); !problem.Is(err, problem.Forbidden) {
		t.Errorf("past an approval of others: %v", err)
	}
	if private := r.item(id).Privacy; private != item.PrivacyPrivate {
		t.Errorf("the item is %s", private)
	}
	if err := from(r.user, "approve"); err != nil {
		t.Errorf("at the first action: %v", err)
	}
	r.awaitStatus(id, machine.Waiting)
	if _, err := r.runs.Act(approver, id, "approve", machine.VerbApprove, ""); err != nil {
		t.Fatal(err)
	}
	r.await(id, "at edit", func(run workflow.Run) bool { return run.CurrentAction != nil && *run.CurrentAction == "edit" })
	cancel(r.user)
	if err := from(r.user, "publish"); err != nil {
		t.Errorf("past a given approval: %v", err)
	}
	r.awaitStatus(id, machine.Completed)
	if err := from(approver, "edit"); err != nil {
		t.Errorf("by a role of the action: %v", err)
	}
}

func TestStart_BeginsAtAnAction(t *testing.T) {
	r := run(t, nil)
	profile := r.profile(actions(machine.Publish, machine.Approve, machine.Archive))
	id := r.create(profile)
	r.awaitStatus(id, machine.Waiting)
	if _, err := r.runs.Act(r.user, id, "approve", machine.VerbReject, "Too long."); err != nil {
		t.Fatal(err)
	}
	failed := r.awaitStatus(id, machine.Failed)
	if want := `The action "approve" failed. It was rejected: Too long.`; *failed.Error != want {
		t.Errorf("got %s", *failed.Error)
	}
	if _, err := r.runs.Start(r.user, id, workflow.StartInput{From: new("none")}); !problem.Is(err, problem.RuleViolated) {
		t.Errorf("got %v", err)
	}
	if _, err := r.runs.Start(r.user, id, workflow.StartInput{From: new("archive")}); err != nil {
		t.Fatal(err)
	}
	again := r.awaitStatus(id, machine.Completed)
	if again.ID == failed.ID || again.Actions[0].Status != machine.ActionSkipped ||
		again.Actions[2].Status != machine.ActionSucceeded {
		t.Errorf("got %+v", again)
	}
	if list, _, err := r.runs.Runs(r.user, workflow.RunFilter{}, 10, ""); err != nil || len(list) != 2 {
		t.Errorf("got %v, %v", list, err)
	}
}
