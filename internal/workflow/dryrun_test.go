package workflow_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/hook/egress/dnstest"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

// withNames makes public.example resolve to a public address, inside.example to a private one, and no other name.
func (b *bundle) withNames() {
	addresses := map[string]string{"public.example": "93.184.216.34", "inside.example": "10.0.0.5"}
	b.resolver = dnstest.Resolver(b.t, func(name string, ipv6 bool) ([]netip.Addr, bool) {
		address, known := addresses[name]
		if !known || ipv6 {
			return nil, known
		}
		return []netip.Addr{netip.MustParseAddr(address)}, true
	})
	b.profiles = b.service(nil)
}

// role makes a role with permissions, and active users.
func (b *bundle) role(name string, users int, permissions ...account.Permission) uuid.UUID {
	b.t.Helper()
	id := uuid.New()
	granted := account.Permissions(append(permissions, account.APIAccess))
	if err := dbtest.InsertRole(b.ctx, b.pool, id, b.account, name, granted.Strings()...); err != nil {
		b.t.Fatal(err)
	}
	for range users {
		user := dbtest.User{ID: uuid.New(), Account: b.account, Role: id, Email: uuid.NewString() + "@example.com", Name: name}
		if err := dbtest.InsertUser(b.ctx, b.pool, user); err != nil {
			b.t.Fatal(err)
		}
	}
	return id
}

func (b *bundle) check(id uuid.UUID) workflow.DryRun {
	b.t.Helper()
	d, err := b.profiles.CheckProfile(b.ctx, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func TestCheckProfile_ListsInOrderWhatWouldHappen(t *testing.T) {
	b := setup(t)
	b.withNames()
	chief := b.role("Chief", 1, account.ItemsView, account.ItemsEdit, account.WorkflowsAct)
	at := func(key string, at machine.TaskTime, action *string) machine.Task {
		return machine.Task{Key: key, At: at, Action: action, URL: "https://public.example/" + key}
	}
	made := b.create(workflow.ProfileInput{Name: "News",
		Actions: []machine.Action{
			{Key: "edit", Kind: machine.Edit, RoleIDs: []uuid.UUID{chief}, Settings: machine.Settings{RemindAfter: new(90),
				Deadline: new(2 * 24 * 60 * 60)}},
			{Key: "approve", Kind: machine.Approve, RoleIDs: []uuid.UUID{chief}, Settings: machine.Settings{Deadline: new(3600),
				OnDeadline: new(machine.Skip)}},
			{Key: "publish", Kind: machine.Publish},
		},
		Tasks: []machine.Task{at("failed", machine.AtFailed, nil), at("complete", machine.AtComplete, nil),
			at("after", machine.AfterAction, new("approve")), at("before", machine.BeforeAction, new("approve")),
			at("start", machine.AtStart, nil)},
	})
	d := b.check(made.ID)
	var got []string
	for _, step := range d.Steps {
		got = append(got, step.Pointer+" "+step.Key)
	}
	want := []string{"#/tasks/4 start", "#/actions/0 edit", "#/tasks/3 before", "#/actions/1 approve", "#/tasks/2 after",
		"#/actions/2 publish", "#/tasks/1 complete", "#/tasks/0 failed"}
	if !slices.Equal(got, want) {
		t.Errorf("got the steps %q, want %q", got, want)
	}
	if len(d.Problems) != 0 || d.Version != 1 {
		t.Errorf("got version %d, problems %v", d.Version, d.Problems)
	}
	edit := d.Steps[1]
	const effect = "Waits until a user has edited the item and completes the action. Sends a reminder after 90 seconds. " +
		"After 2 days, the action and the workflow fail."
	if edit.Effect != effect || !slices.Equal(edit.Roles, []string{"Chief"}) || !edit.Waits || edit.Action != machine.Edit {
		t.Errorf("got %+v", edit)
	}
	if approve := d.Steps[3]; !strings.HasSuffix(approve.Effect, "After 1 hour, the action is skipped.") {
		t.Errorf("got %+v", approve)
	}
	if start := d.Steps[0]; start.URL != "https://public.example/start" || start.Task != machine.AtStart || start.Waits {
		t.Errorf("got %+v", start)
	}
}

func TestCheckProfile_SaysWhatIsWrong(t *testing.T) {
	b := setup(t)
	b.withNames()
	act := account.Permissions{account.ItemsView, account.WorkflowsAct}
	chief, blind := b.role("Chief", 1, act...), b.role("Blind", 1, account.WorkflowsAct)
	empty, reader := b.role("Empty", 0, act...), b.role("Reader", 1, account.ItemsView)
	approve := func(key string, s machine.Settings, roles ...uuid.UUID) machine.Action {
		return machine.Action{Key: key, Kind: machine.Approve, RoleIDs: roles, Settings: s}
	}
	at := func(url string) machine.Task {
		key, _, _ := strings.Cut(url, ".")
		return machine.Task{Key: key, At: machine.AtStart, URL: "https://" + url}
	}
	made := b.create(workflow.ProfileInput{Name: "News",
		Actions: []machine.Action{
			{Key: "process", Kind: machine.Process},
			{Key: "publish", Kind: machine.Publish},
			approve("some", machine.Settings{}, chief, blind, empty),
			approve("none", machine.Settings{}, reader),
			approve("fails", machine.Settings{Deadline: new(60)}, reader),
			approve("skips", machine.Settings{Deadline: new(60), OnDeadline: new(machine.Skip)}, reader),
			{Key: "edit", Kind: machine.Edit, RoleIDs: []uuid.UUID{chief}},
		},
		Tasks: []machine.Task{at("public.example"), at("inside.example"), at("unknown.example")},
	})
	want := []string{
		"#/actions/0/kind warning The action process will be skipped",
		"#/actions/1 warning The action publish publishes the item before the action some approves it",
		"#/actions/2/role_ids/1 warning Users of the role Blind cannot act on some, because it lacks the permission items.view",
		"#/actions/2/role_ids/2 warning The role Empty has no active user",
		"#/actions/3/role_ids/0 warning Users of the role Reader cannot act on none, because it lacks the permission workflows.act",
		"#/actions/3 error Nobody can act on none, so the workflow would wait forever",
		"#/actions/4/role_ids/0 warning Users of the role Reader",
		"#/actions/4 error Nobody can act on fails, so it always fails after 1 minute",
		"#/actions/5/role_ids/0 warning Users of the role Reader",
		"#/actions/5 warning Nobody can act on skips, so it is always skipped after 1 minute",
		"#/actions/6/role_ids/0 warning Users of the role Chief cannot act on edit, because it lacks the permission items.edit",
		"#/actions/6 error Nobody can act on edit",
		"#/tasks/1/url error The task inside cannot be sent: 10.0.0.5 is in a private network",
		"#/tasks/2/url error The task unknown cannot be sent: the host unknown.example does not resolve",
	}
	var got []string
	for _, p := range b.check(made.ID).Problems {
		got = append(got, p.Pointer+" "+string(p.Severity)+" "+p.Detail)
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(got) != len(want) {
		t.Fatalf("got %d problems, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

func TestCheckProfile_OfAnEmptyProfileSaysThatNothingWouldHappen(t *testing.T) {
	b := setup(t)
	d := b.check(b.create(workflow.ProfileInput{Name: "News"}).ID)
	if len(d.Steps) != 0 || len(d.Problems) != 1 || d.Problems[0].Severity != workflow.Warning {
		t.Errorf("got %+v", d)
	}
}

func TestDeleteRole_RefusesARoleOfAnAction(t *testing.T) {
	b := setup(t)
	chief := b.role("Chief", 0)
	b.create(workflow.ProfileInput{Name: "News", Actions: []machine.Action{
		{Key: "approve", Kind: machine.Approve, RoleIDs: []uuid.UUID{chief}}}})
	roles := account.NewService(account.Config{Pool: b.pool})
	if err := roles.DeleteRole(b.ctx, chief, nil); !problem.Is(err, problem.Conflict) {
		t.Errorf("got %v", err)
	}
}
