package workflow_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

// newsroom is a profile with an action of each kind, and a task with a header.
func (b *bundle) newsroom() workflow.ProfileInput {
	return workflow.ProfileInput{Name: "Newsroom",
		Actions: []machine.Action{
			{Key: "process", Kind: machine.Process},
			{Key: "edit", Kind: machine.Edit, Settings: machine.Settings{RemindAfter: new(60), Deadline: new(120)}},
			{Key: "approve", Kind: machine.Approve, Name: " Approval ", RoleIDs: []uuid.UUID{b.roles["Editor"]}},
			{Key: "publish", Kind: machine.Publish},
			{Key: "archive", Kind: machine.Archive},
		},
		Tasks: []machine.Task{{Key: "tell", At: machine.AfterAction, Action: new("approve"), Wait: true,
			URL: "https://EXAMPLE.com/a", Headers: map[string]string{"Authorization": "Bearer x"}}},
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestCreateProfile_StoresActionsAndTasksWithTheirDefaults(t *testing.T) {
	b := setup(t)
	made := b.create(b.newsroom())
	wantActions := fmt.Sprintf(`[{"key":"process","kind":"process","name":"process","role_ids":[],"settings":{}},`+
		`{"key":"edit","kind":"edit","name":"edit","role_ids":[],"settings":{"remind_after":60,"deadline":120,"on_deadline":"fail"}},`+
		`{"key":"approve","kind":"approve","name":"Approval","role_ids":[%q],"settings":{}},`+
		`{"key":"publish","kind":"publish","name":"publish","role_ids":[],"settings":{"privacy":"public"}},`+
		`{"key":"archive","kind":"archive","name":"archive","role_ids":[],"settings":{"tags":["archived"]}}]`, b.roles["Editor"])
	const wantTasks = `[{"key":"tell","name":"tell","at":"after_action","action":"approve","kind":"http_post",` +
		`"url":"https://example.com/a","headers":{"Authorization":"***"},"wait":true}]`
	if got := asJSON(t, made.Actions); got != wantActions {
		t.Errorf("got the actions %s, want %s", got, wantActions)
	}
	if got := asJSON(t, made.Tasks); got != wantTasks || made.Version != 1 {
		t.Errorf("got version %d, tasks %s, want %s", made.Version, got, wantTasks)
	}
	read, err := b.profiles.Profile(b.ctx, made.ID)
	if err != nil || asJSON(t, read) != asJSON(t, made) {
		t.Errorf("got %s, %v; want %s", asJSON(t, read), err, asJSON(t, made))
	}
	first, err := b.profiles.Version(b.ctx, made.ID, 1)
	if err != nil || asJSON(t, first.Actions) != wantActions || asJSON(t, first.Tasks) != wantTasks {
		t.Errorf("version 1: got %s, %v", asJSON(t, first), err)
	}
}

func TestProfile_ShowsURLsAndHeadersToWorkflowsManageOnly(t *testing.T) {
	b := setup(t)
	made := b.create(b.newsroom())
	viewer := b.as("Viewer", account.ItemsView)
	read, err := b.profiles.Profile(viewer, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	listed, _, err := b.profiles.Profiles(viewer, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	version, err := b.profiles.Version(viewer, made.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	versions, _, err := b.profiles.Versions(viewer, made.ID, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, tasks := range map[string][]workflow.Task{"a profile": read.Tasks, "the list": listed[0].Tasks,
		"a version": version.Tasks, "the versions": versions[0].Tasks} {
		if len(tasks) != 1 || tasks[0].URL != nil || tasks[0].Headers != nil || tasks[0].Key != "tell" {
			t.Errorf("%s: got %s", name, asJSON(t, tasks))
		}
	}
}

func TestCreateProfile_NamesEveryFaultOfActionsAndTasks(t *testing.T) {
	b := setup(t)
	hidden := b.roles["Viewer"]
	action := func(kind machine.ActionKind, s machine.Settings) machine.Action {
		return machine.Action{Key: string(kind), Kind: kind, Settings: s}
	}
	task := func(key string, at machine.TaskTime, action *string) machine.Task {
		return machine.Task{Key: key, At: at, Action: action, URL: "https://example.com/"}
	}
	waits := task("waits", machine.AtComplete, nil)
	waits.Wait = true
	reaches := task("reaches", machine.AtStart, nil)
	reaches.URL = "http://127.0.0.1:9000/"
	rules := workflow.ProfileInput{Name: "Rules", RoleIDs: []uuid.UUID{b.roles["Editor"]},
		Actions: []machine.Action{
			action(machine.Process, machine.Settings{Tags: []string{"a"}}),
			{Key: "edit", Kind: machine.Edit, RoleIDs: []uuid.UUID{hidden, uuid.New()},
				Settings: machine.Settings{Deadline: new(60), RemindAfter: new(60)}},
			action(machine.Approve, machine.Settings{OnDeadline: new(machine.Skip)}),
			action(machine.Publish, machine.Settings{Deadline: new(60)}),
			action(machine.Process, machine.Settings{}),
		},
		Tasks: []machine.Task{
			task("edit", machine.AtStart, nil), task("a", machine.BeforeAction, nil), task("a", machine.AfterAction, new("none")),
			task("b", machine.AtFailed, new("edit")), waits, reaches,
		},
	}
	_, err := b.profiles.CreateProfile(b.ctx, rules)
	wantFaults(t, err, problem.RuleViolated, "#/actions/0/settings/tags", "#/actions/1/settings/deadline",
		"#/actions/1/role_ids/0", "#/actions/1/role_ids/1", "#/actions/2/settings/on_deadline",
		"#/actions/3/settings/deadline", "#/actions/4/key", "#/tasks/0/key", "#/tasks/1/action", "#/tasks/2/key",
		"#/tasks/2/action", "#/tasks/3/action", "#/tasks/4/wait", "#/tasks/5/url", "#/actions/1/role_ids/1")

	form := workflow.ProfileInput{Name: "Form",
		Actions: []machine.Action{
			{Key: "Not a key", Kind: "dance"},
			{Key: "edit", Kind: machine.Edit, Name: "\x00", RoleIDs: ids(101),
				Settings: machine.Settings{RemindAfter: new(0), OnDeadline: new("wait"), Deadline: new(1 << 40)}},
			action(machine.Publish, machine.Settings{Privacy: new("private")}),
			action(machine.Archive, machine.Settings{Tags: []string{"a", " ", "a"}}),
		},
		Tasks: []machine.Task{
			{Key: "", At: "sometime", Kind: "fax", URL: "ftp://example.com", Headers: map[string]string{"Host": "x", "X-A": "***"}},
			task("b", machine.BeforeAction, new("none")),
		},
	}
	_, err = b.profiles.CreateProfile(b.ctx, form)
	wantFaults(t, err, problem.InvalidInput, "#/tasks/0/headers/X-A", "#/actions/0/key", "#/actions/0/kind",
		"#/actions/1/name", "#/actions/1/role_ids", "#/actions/1/settings/remind_after", "#/actions/1/settings/deadline",
		"#/actions/1/settings/on_deadline", "#/actions/2/settings/privacy", "#/actions/3/settings/tags/1",
		"#/actions/3/settings/tags/2", "#/tasks/0/key", "#/tasks/0/kind", "#/tasks/0/at", "#/tasks/0/url",
		"#/tasks/0/headers/Host", "#/tasks/1/action")
}

func TestCreateProfile_HasLimits(t *testing.T) {
	b := setup(t)
	in := workflow.ProfileInput{Name: "Long"}
	for n := range 21 {
		in.Actions = append(in.Actions, machine.Action{Key: fmt.Sprint("a", n), Kind: machine.Process})
	}
	for n := range 51 {
		in.Tasks = append(in.Tasks, machine.Task{Key: fmt.Sprint("t", n), At: machine.AtStart, URL: "https://example.com/"})
	}
	_, err := b.profiles.CreateProfile(b.ctx, in)
	wantFaults(t, err, problem.InvalidInput, "#/actions", "#/tasks")
	in.Actions, in.Tasks = in.Actions[:20], in.Tasks[:50]
	if made := b.create(in); len(made.Actions) != 20 || len(made.Tasks) != 50 {
		t.Errorf("got %d actions and %d tasks", len(made.Actions), len(made.Tasks))
	}
}

func TestPatchProfile_ChecksOnlyWhatItChangesAndWhatDependsOnThat(t *testing.T) {
	b := setup(t)
	made := b.create(b.newsroom())
	for name, c := range map[string]struct {
		patch workflow.ProfilePatch
		want  string
	}{
		"roles that hide the items from an action's role": {
			workflow.ProfilePatch{RoleIDs: &[]uuid.UUID{b.roles["Viewer"]}}, "#/role_ids"},
		"actions without the one of a task": {workflow.ProfilePatch{Actions: &[]machine.Action{}}, "#/actions"},
		"an action with the key of a task": {workflow.ProfilePatch{Actions: &[]machine.Action{
			{Key: "approve", Kind: machine.Approve}, {Key: "tell", Kind: machine.Process}}}, "#/actions/1/key"},
	} {
		_, err := b.profiles.PatchProfile(b.ctx, made.ID, c.patch, nil)
		if e := problem.Of(err); e == nil || e.Code != problem.RuleViolated || len(e.Faults) != 1 ||
			!strings.HasPrefix(e.Faults[0].Pointer, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	after := b.patch(made.ID, workflow.ProfilePatch{Name: new("News"), RoleIDs: &[]uuid.UUID{b.roles["Editor"]}})
	if after.Version != 1 || after.Revision != 2 || asJSON(t, after.Tasks) != asJSON(t, made.Tasks) {
		t.Errorf("a new name and roles: got %s", asJSON(t, after))
	}
}
