package workflow_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

func TestAct_NeedsThePermissionAndARoleOfTheAction(t *testing.T) {
	r := run(t, nil)
	d := actions(machine.Approve)
	d.Actions[0].RoleIDs = []uuid.UUID{r.roles["Editor"]}
	id := r.create(r.profile(d))
	waiting := r.awaitStatus(id, machine.Waiting)
	if *waiting.Explanation != "Waits for a person with the role Editor." {
		t.Errorf("got %s", *waiting.Explanation)
	}
	for name, c := range map[string]struct {
		ctx  context.Context
		want problem.Code
	}{
		"another role":      {r.member("Viewer", account.ItemsView, account.WorkflowsAct), problem.Forbidden},
		"no permission":     {r.member("Editor", account.ItemsView), problem.Forbidden},
		"a role taken away": {r.demoted("Editor"), problem.Forbidden},
		"another account": {account.WithActor(t.Context(), account.Actor{AccountID: uuid.New(),
			Permissions: account.All()}), problem.NotFound},
	} {
		if got, err := r.runs.Act(c.ctx, id, "approve", machine.VerbApprove, ""); !problem.Is(err, c.want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	r.wantLog(id, "\n1 CREATED pending\n2 UPDATED waiting approve")
	if _, err := r.runs.Act(r.user, id, "approve", machine.VerbApprove, ""); err != nil {
		t.Error(err)
	}
}

// demoted returns a context with a user of a role who has lost it since they signed in.
func (r *running) demoted(role string) context.Context {
	r.t.Helper()
	ctx := r.member(role, account.All()...)
	actor, _ := account.ActorFrom(ctx)
	r.exec("UPDATE app_user SET role_id = $1 WHERE id = $2", r.roles["Viewer"], actor.UserID)
	return ctx
}

func TestAct_OfManyAtOnceOneWins(t *testing.T) {
	r := run(t, nil)
	id := r.create(r.profile(actions(machine.Approve)))
	r.awaitStatus(id, machine.Waiting)
	errs := make(chan error, 8)
	var group sync.WaitGroup
	for n := range cap(errs) {
		group.Go(func() {
			verb := []machine.Verb{machine.VerbApprove, machine.VerbReject}[n%2]
			_, err := r.runs.Act(r.user, id, "approve", verb, "")
			errs <- err
		})
	}
	group.Wait()
	close(errs)
	won := 0
	for err := range errs {
		switch {
		case err == nil:
			won++
		case !problem.Is(err, problem.ActionNotWaiting):
			t.Errorf("got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d acts won", won)
	}
}

func TestRuns_ForMeListsWhatTheActorMayDo(t *testing.T) {
	r := run(t, nil)
	forAll, forEditors := actions(machine.Edit), actions(machine.Approve)
	forEditors.Actions[0].RoleIDs = []uuid.UUID{r.roles["Editor"]}
	a, b, c := r.create(r.profile(forAll)), r.create(r.profile(forEditors)), r.create(r.profile(actions(machine.Publish)))
	r.awaitStatus(a, machine.Waiting)
	r.awaitStatus(b, machine.Waiting)
	r.awaitStatus(c, machine.Completed)
	listed := func(ctx context.Context, filter workflow.RunFilter) (ids []uuid.UUID) {
		t.Helper()
		for after := ""; ; {
			list, next, err := r.runs.Runs(ctx, filter, 1, after)
			if err != nil {
				t.Fatal(err)
			}
			for _, run := range list {
				ids = append(ids, run.ItemID)
			}
			if after = next; next == "" {
				return ids
			}
		}
	}
	viewer := r.member("Viewer", account.ItemsView, account.WorkflowsAct)
	for name, x := range map[string]struct {
		ctx    context.Context
		filter workflow.RunFilter
		want   []uuid.UUID
	}{
		"all":            {r.user, workflow.RunFilter{}, []uuid.UUID{c, b, a}},
		"an editor's":    {r.user, workflow.RunFilter{ForMe: true}, []uuid.UUID{b, a}},
		"a viewer's":     {viewer, workflow.RunFilter{ForMe: true}, []uuid.UUID{a}},
		"of nobody":      {r.member("Editor", account.ItemsView), workflow.RunFilter{ForMe: true}, nil},
		"by status":      {r.user, workflow.RunFilter{Statuses: []machine.Status{machine.Completed}}, []uuid.UUID{c}},
		"by action":      {r.user, workflow.RunFilter{Action: new("approve")}, []uuid.UUID{b}},
		"another's":      {account.WithActor(t.Context(), account.Actor{AccountID: uuid.New(), Permissions: account.All()}), workflow.RunFilter{}, nil},
		"by a token":     {r.withFilter(`{"workflow_status":["completed"]}`), workflow.RunFilter{}, []uuid.UUID{c}},
		"a token's none": {r.withFilter(`{"tags":["none"]}`), workflow.RunFilter{}, nil},
	} {
		if got := listed(x.ctx, x.filter); !slices.Equal(got, x.want) {
			t.Errorf("%s: got %v, want %v of %v", name, got, x.want, []uuid.UUID{a, b, c})
		}
	}
}

// withFilter returns a context with a token whose filter is canonical JSON.
func (r *running) withFilter(filter string) context.Context {
	actor, _ := account.ActorFrom(r.user)
	actor.Token = &account.Token{ID: uuid.New(), Filter: filter}
	return account.WithActor(r.t.Context(), actor)
}

func TestRuns_OfHiddenItemsDoNotExist(t *testing.T) {
	r := run(t, nil)
	profile := r.profile(actions(machine.Edit))
	id := r.create(profile)
	r.awaitStatus(id, machine.Waiting)
	r.exec("UPDATE workflow_profile SET role_ids = $1 WHERE id = $2", []uuid.UUID{r.roles["Editor"]}, profile)
	r.exec("UPDATE role SET permissions = permissions || '{workflows.act}' WHERE id = $1", r.roles["Viewer"])
	viewer := r.member("Viewer", account.All()...)
	if list, _, err := r.runs.Runs(viewer, workflow.RunFilter{}, 10, ""); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
	for name, err := range map[string]error{
		"run":     second(r.runs.RunOf(viewer, id)),
		"start":   second(r.runs.Start(viewer, id, workflow.StartInput{})),
		"cancel":  second(r.runs.CancelRun(viewer, id)),
		"act":     second(r.runs.Act(viewer, id, "edit", machine.VerbComplete, "")),
		"history": third(r.runs.History(viewer, id, 10, "")),
	} {
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := r.runs.RunOf(r.user, id); err != nil {
		t.Error(err)
	}
}

func third[T, U any](_ T, _ U, err error) error { return err }

func TestRun_RemindsAndEndsAtTheDeadline(t *testing.T) {
	r := run(t, nil)
	d := actions(machine.Edit, machine.Edit, machine.Edit)
	d.Actions[0].Settings.RemindAfter = new(1)
	for n, onDeadline := range []string{machine.Skip, machine.Fail} {
		d.Actions[n+1].Settings = machine.Settings{Deadline: new(1), OnDeadline: &onDeadline}
	}
	id := r.create(r.profile(d))
	r.eventually("the reminder", func() bool {
		return value[int](r, `SELECT count(*) FROM item_change WHERE item_id = $1 AND trigger = 'reminder'
			AND targets IS NULL`, id) == 1
	})
	if _, err := r.runs.Act(r.user, id, "edit", machine.VerbComplete, ""); err != nil {
		t.Fatal(err)
	}
	failed := r.awaitStatus(id, machine.Failed)
	if failed.Actions[1].Status != machine.ActionSkipped || failed.Actions[2].Status != machine.ActionFailed ||
		*failed.Actions[2].Error != "Nobody acted within its deadline of 1 seconds." {
		t.Errorf("got %+v", failed.Actions)
	}
	r.wantLog(id, `
1 CREATED pending
2 UPDATED waiting edit
2 TRIGGERED waiting edit
3 UPDATED waiting edit2
4 UPDATED waiting edit3
5 UPDATED failed edit3`)
}
