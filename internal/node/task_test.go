package node_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// tasksOf returns a profile whose workflow publishes, with a task of a URL before and after that.
func tasksOf(url string) string {
	task := func(key, at, action string) string {
		return fmt.Sprintf(`{"key":%q,"at":%q,"action":%s,"url":%q,"headers":{"X-Key":"k"}}`, key, at, action, url)
	}
	return `{"name":"News","actions":[{"key":"publish","kind":"publish"}],"tasks":[` +
		task("begin", "workflow_start", "null") + `,` + task("before", "before_action", `"publish"`) + `,` +
		task("after", "after_action", `"publish"`) + `]}`
}

// startTasks starts a node on which a workflow has sent its tasks to a receiver.
func startTasks(t *testing.T) (n *nodetest.Node, item, profile string, sent []nodetest.Delivery) {
	t.Helper()
	n = nodetest.Start(t)
	url, deliveries := nodetest.StartReceiver(t)
	profile = n.Call(http.MethodPost, "/api/v1/workflow-profiles", tasksOf(url)).WantStatus(t, http.StatusCreated).
		Field(t, "id")
	item = n.CreateItem(`{"name":"a","workflow_profile_id":"` + profile + `"}`)
	for range 3 {
		sent = append(sent, nodetest.Next(t, deliveries))
	}
	nodetest.Eventually(t, "the deliveries have succeeded", func() bool {
		list := n.Call(http.MethodGet, "/api/v1/deliveries?state=succeeded&item_id="+item, "").WantStatus(t, http.StatusOK)
		return len(list.Results(t)) == 3
	})
	return n, item, profile, sent
}

func TestTasks_ADeliveryNamesTheRunAndTheTask(t *testing.T) {
	t.Parallel()
	n, item, _, sent := startTasks(t)
	n.CreateHook(`{"url":"https://example.com/","active":false}`)
	run := n.Call(http.MethodGet, "/api/v1/items/"+item+"/workflow", "").WantStatus(t, http.StatusOK).Field(t, "id")
	var ids []string
	for i, key := range []string{"begin", "before", "after"} {
		h := sent[i].Header
		if h.Get("itemcast-task") != key || h.Get("itemcast-event") != "item.triggered" || h.Get("x-key") != "k" ||
			h.Get("itemcast-trigger") != "workflow" || (h.Get("itemcast-action") == "publish") != (key != "begin") {
			t.Errorf("task %d has the headers %v", i, h)
		}
		ids = append([]string{h.Get("webhook-id")}, ids...)
	}
	list := n.Call(http.MethodGet, "/api/v1/deliveries?item_id="+item, "").WantStatus(t, http.StatusOK)
	old := n.Call(http.MethodGet, "/api/v1/deliveries?item="+item, "").WantStatus(t, http.StatusOK)
	if string(list.Body) != string(old.Body) {
		t.Errorf("item lists %s, item_id %s", old.Body, list.Body)
	}
	for i, d := range list.Results(t) {
		if id, ok := d["hook_id"]; !ok || id != nil || d["id"] != ids[i] || fmt.Sprint(d["workflow"]) !=
			fmt.Sprintf("map[run_id:%s task:%s]", run, []string{"after", "before", "begin"}[i]) {
			t.Errorf("delivery %d is %v", i, d)
		}
	}
	var page struct {
		Deliveries struct {
			Nodes []struct {
				ID       string
				HookID   *string
				Workflow struct{ RunID, Task string }
				Attempts []struct{ Succeeded bool }
			}
			PageInfo struct{ HasNextPage bool }
		}
		Delivery struct{ Workflow struct{ RunID, Task string } }
	}
	data := n.GraphQL(`query ($i: ID!, $d: ID!) { deliveries(itemId: $i, first: 2) { nodes { id hookId workflow { runId task }
		attempts { succeeded } } pageInfo { hasNextPage } } delivery(id: $d) { workflow { runId task } } }`,
		nodetest.Vars{"i": item, "d": ids[2]})
	if err := json.Unmarshal(data, &page); err != nil {
		t.Fatal(err)
	}
	if nodes := page.Deliveries.Nodes; len(nodes) != 2 || nodes[0].ID != ids[0] || nodes[0].HookID != nil ||
		nodes[0].Workflow.RunID != run || nodes[0].Workflow.Task != "after" || len(nodes[0].Attempts) != 1 ||
		!page.Deliveries.PageInfo.HasNextPage || page.Delivery.Workflow.Task != "begin" {
		t.Errorf("GraphQL shows %s", data)
	}
}

func TestTasks_TheirDeliveriesNeedWorkflowsManageToo(t *testing.T) {
	t.Parallel()
	n, item, _, sent := startTasks(t)
	made := func(name string, permissions ...account.Permission) *nodetest.Client {
		return n.CreateUser(name+"@example.com", n.CreateRole(name, append(permissions, account.APIAccess)...))
	}
	hooks, both := made("hooks", account.HooksManage), made("both", account.HooksManage, account.WorkflowsManage)
	tasks := made("tasks", account.WorkflowsManage)
	list, delivery := "/api/v1/deliveries?item_id="+item, "/api/v1/deliveries/"+sent[0].Header.Get("webhook-id")
	for by, want := range map[*nodetest.Client]int{hooks: 0, both: 3} {
		if got := by.Call(http.MethodGet, list, "").WantStatus(t, http.StatusOK).Results(t); len(got) != want {
			t.Errorf("got %d deliveries, want %d", len(got), want)
		}
	}
	hooks.Call(http.MethodGet, delivery, "").WantProblem(t, "hooks.manage", http.StatusNotFound, "NOT_FOUND")
	hooks.Call(http.MethodPost, delivery+"/redeliver", "").WantProblem(t, "hooks.manage", http.StatusNotFound, "NOT_FOUND")
	for _, path := range []string{list, delivery} {
		tasks.Call(http.MethodGet, path, "").WantProblem(t, "workflows.manage", http.StatusForbidden, "FORBIDDEN")
	}
	both.Call(http.MethodGet, delivery, "").WantStatus(t, http.StatusOK)
	both.Call(http.MethodPost, delivery+"/redeliver", "").WantStatus(t, http.StatusAccepted)
}

// No operation and no field shows the hook of a task, finds it by its id, or lists it.
func TestTasks_TheirHooksAreHiddenEverywhere(t *testing.T) {
	t.Parallel()
	n, _, profile, _ := startTasks(t)
	var hidden string
	if err := n.Pool.QueryRow(t.Context(), `SELECT id::text FROM hook WHERE workflow_profile_id = $1`, profile).
		Scan(&hidden); err != nil {
		t.Fatal(err)
	}
	var spec object
	if err := json.Unmarshal(n.Contract.JSON(), &spec); err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, path := range slices.Sorted(maps.Keys(spec.at("paths"))) {
		for method, operation := range spec.at("paths", path) {
			of, ok := operation.(map[string]any)
			if !ok || of["operationId"] == nil || !strings.Contains(path, "{id}") && method != "get" {
				continue
			}
			calls++
			mediaType, body := spec.body(of)
			at := strings.NewReplacer("{id}", hidden, "{key}", "a", "{version}", "1", "{action}", "publish").Replace(path)
			got := n.Call(strings.ToUpper(method), "/api/v1"+at, body, "Content-Type", mediaType)
			if strings.Contains(path, "{id}") && got.Status < http.StatusBadRequest {
				t.Errorf("%s %s: got %d", method, path, got.Status)
			}
			if strings.Contains(string(got.Body), hidden) {
				t.Errorf("%s %s shows it: %s", method, path, got.Body)
			}
		}
	}
	w := &walked{Node: n, ids: map[string]string{}}
	for _, noun := range []string{"items", "hooks", "metadata-fields", "tokens", "users", "roles", "workflow-profiles"} {
		w.ids[noun] = hidden
	}
	types := w.introspect()
	for root, kind := range map[string]string{"Query": "query", "Mutation": "mutation"} {
		for _, field := range types[root].Fields {
			query, variables, one := w.operation(types, kind, field)
			if !one && kind == "mutation" {
				continue
			}
			calls++
			got, codes := n.TryGraphQL(query, variables)
			if data := string(got.Body); strings.Contains(data, hidden) ||
				one && codes == nil && data != `{"data":{"`+field.Name+`":null}}` {
				t.Errorf("%s shows %s", field.Name, data)
			}
		}
	}
	if calls < 80 {
		t.Errorf("only %d operations and fields were found", calls)
	}
	n.Call(http.MethodGet, "/api/v1/deliveries?hook="+hidden, "").
		WantProblem(t, "its deliveries", http.StatusNotFound, "NOT_FOUND")
	if _, codes := n.TryGraphQL(`query ($h: ID!) { deliveries(hookId: $h) { nodes { id } } }`, nodetest.Vars{"h": hidden}); !slices.Equal(codes, []string{"NOT_FOUND"}) {
		t.Errorf("its deliveries: %q", codes)
	}
}

func TestTasks_ADeletedItemAndADeletedProfileStillSendWhatWasDue(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	entered, release := make(chan struct{}, 10), make(chan struct{})
	tasks := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-release
		tasks <- r.Header.Get("itemcast-task")
	}))
	t.Cleanup(server.Close)
	open := sync.OnceFunc(func() { close(release) })
	t.Cleanup(open) // before the server closes, which waits for its handlers
	profile := n.Call(http.MethodPost, "/api/v1/workflow-profiles", tasksOf(server.URL)).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	item := n.CreateItem(`{"name":"a","workflow_profile_id":"` + profile + `"}`)
	nodetest.Next(t, entered) // the first task; the others wait behind it
	nodetest.Eventually(t, "the workflow has completed", func() bool {
		return n.Call(http.MethodGet, "/api/v1/items/"+item+"/workflow", "").Field(t, "status") == "completed"
	})
	n.Call(http.MethodDelete, "/api/v1/items/"+item, "").WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodDelete, "/api/v1/workflow-profiles/"+profile, "").WantStatus(t, http.StatusNoContent)
	open()
	for _, want := range []string{"begin", "before", "after"} {
		if got := nodetest.Next(t, tasks); got != want {
			t.Errorf("got the task %s, want %s", got, want)
		}
	}
	nodetest.Eventually(t, "the hook of the profile is gone", func() (gone bool) {
		err := n.Pool.QueryRow(t.Context(), `SELECT NOT EXISTS (SELECT FROM hook WHERE deleted_at IS NULL)`).Scan(&gone)
		return err == nil && gone
	})
}
