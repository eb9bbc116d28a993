package node_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/soak"
)

// A node or Postgres is killed at a task of a run that waits for three. Every run completes, no task is lost, none
// has two webhook-ids, and the changes are in order.
func TestWorkflow_KilledNodesAndAKilledPostgresLoseAndDoubleNoStep(t *testing.T) {
	t.Parallel()
	postgres := dbtest.Cluster(t, map[string]string{"synchronous_commit": "on"})
	environment := []string{
		"ITEMCAST_DATABASE_URL=" + postgres.URL(), "ITEMCAST_PUBLIC_URL=https://items.example",
		"ITEMCAST_ADMIN_EMAIL=" + nodetest.AdminEmail, "ITEMCAST_ADMIN_PASSWORD=" + nodetest.AdminPassword,
		"ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8",
	}
	var nodes [2]crashNode
	for k := range nodes {
		nodes[k].start(t, environment)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the nodes are %s and %s", nodes[0], nodes[1])
		}
	})
	received := newTaskLedger(t)
	profile := createKillProfile(nodetest.Connect(t, nodes[0].url()), received.url)
	for k := range soak.Times(5, 100) {
		victim := (k + k/3) % 3 // 2: Postgres; in nine rounds, each is killed at each task
		received.killAt(killTasks[k%3], func() {
			if victim == 2 {
				killPostgres(t, postgres.URL())
				return
			}
			nodes[victim].Kill()
		})
		client := patient{nodetest.Connect(t, nodes[0].url())}
		id := client.create(fmt.Sprintf(`{"name":"run %d","workflow_profile_id":%q}`, k, profile))
		received.awaitKill(t)
		if victim < 2 {
			nodes[victim].start(t, environment)
		}
		client = patient{nodetest.Connect(t, nodes[0].url())}
		client.awaitCompleted(id)
		if got := client.statuses(id); !slices.Equal(got, killStatuses) {
			t.Errorf("run %d: its item was %q", k, got)
		}
		received.wantEach(id)
	}
}

// killTasks are the tasks of the run, in order. The run waits for each.
var killTasks = []string{"started", "before-publish", "after-archive"}

// killStatuses are the workflows of the run's item, in order.
var killStatuses = []string{"pending", "running publish", "running archive", "running archive", "running republish",
	"completed"}

func createKillProfile(client *nodetest.Client, url string) (id string) {
	client.T.Helper()
	body := fmt.Sprintf(`{"name":"Killed","actions":[{"key":"publish","kind":"publish"},{"key":"archive","kind":"archive"},
		{"key":"republish","kind":"publish"}],"tasks":[
		{"key":"started","at":"workflow_start","url":%[1]q,"wait":true},
		{"key":"before-publish","at":"before_action","action":"publish","url":%[1]q,"wait":true},
		{"key":"after-archive","at":"after_action","action":"archive","url":%[1]q,"wait":true}]}`, url)
	return client.Call(http.MethodPost, "/api/v1/workflow-profiles", body).WantStatus(client.T, http.StatusCreated).
		Field(client.T, "id")
}

// patient is a client that tries again while a node or Postgres is away.
type patient struct{ *nodetest.Client }

func (c patient) call(method, path, body string, want int, headers ...string) nodetest.Response {
	c.T.Helper()
	for late := time.Now().Add(takeoverTimeout); ; time.Sleep(50 * time.Millisecond) {
		got := c.Call(method, path, body, headers...)
		if got.Status == want {
			return got
		}
		if got.Status != http.StatusServiceUnavailable && got.Status != http.StatusConflict || time.Now().After(late) {
			c.T.Fatalf("%s %s: status %d %s", method, path, got.Status, got.Body)
		}
	}
}

func (c patient) create(body string) (id string) {
	c.T.Helper()
	return c.call(http.MethodPost, "/api/v1/items", body, http.StatusCreated, "Idempotency-Key", body).Field(c.T, "id")
}

func (c patient) awaitCompleted(id string) {
	c.T.Helper()
	for late := time.Now().Add(takeoverTimeout); ; time.Sleep(50 * time.Millisecond) {
		run := c.call(http.MethodGet, "/api/v1/items/"+id+"/workflow", "", http.StatusOK)
		switch status := run.Field(c.T, "status"); {
		case status == "completed":
			return
		case status == "failed" || time.Now().After(late):
			c.T.Fatalf("the run does not complete: %s", run.Body)
		}
	}
}

// statuses returns the workflows that an item has had, oldest first.
// statuses returns the workflows of an item whose run has completed, in order. The log has the end of the run a moment
// after the item has it.
func (c patient) statuses(id string) (all []string) {
	c.T.Helper()
	nodetest.Eventually(c.T, "the log has the end of the run", func() bool {
		all = c.statusesNow(id)
		return len(all) > 0 && all[len(all)-1] == "completed"
	})
	return all
}

func (c patient) statusesNow(id string) (all []string) {
	c.T.Helper()
	var history struct {
		Results []struct {
			Kind string
			Item struct {
				Workflow struct {
					Status        string
					CurrentAction *string `json:"current_action"`
				}
			} `json:"document"`
		}
	}
	body := c.call(http.MethodGet, "/api/v1/items/"+id+"/history?limit=200", "", http.StatusOK).Body
	if err := json.Unmarshal(body, &history); err != nil {
		c.T.Fatal(err)
	}
	for _, h := range slices.Backward(history.Results) {
		if h.Kind == "TRIGGERED" {
			continue
		}
		status := h.Item.Workflow.Status
		if h.Item.Workflow.CurrentAction != nil {
			status += " " + *h.Item.Workflow.CurrentAction
		}
		all = append(all, status)
	}
	return all
}

// taskLedger is the endpoint of the tasks. It calls a function before it answers a certain one.
type taskLedger struct {
	t   *testing.T
	url string

	mu     sync.Mutex
	ids    map[string][]string // the distinct webhook-ids by item and task
	order  map[string][]string // the tasks by item, in the order of their first arrival
	at     string
	kill   func()
	killed chan struct{}
}

func newTaskLedger(t *testing.T) *taskLedger {
	l := &taskLedger{t: t, ids: map[string][]string{}, order: map[string][]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var item struct{ ID string }
		if body, err := io.ReadAll(r.Body); err != nil || json.Unmarshal(body, &item) != nil {
			return // the node was killed
		}
		if kill := l.arrive(item.ID, r.Header.Get("Itemcast-Task"), r.Header.Get("Webhook-Id")); kill != nil {
			kill()
		}
	}))
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

func (l *taskLedger) arrive(item, task, id string) (kill func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := item + " " + task
	if !slices.Contains(l.ids[key], id) {
		l.ids[key] = append(l.ids[key], id)
		l.order[item] = append(l.order[item], task)
	}
	if l.kill == nil || task != l.at {
		return nil
	}
	now, killed := l.kill, l.killed
	l.kill = nil
	return func() { now(); close(killed) }
}

// killAt calls kill when the task arrives next.
func (l *taskLedger) killAt(task string, kill func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at, l.kill, l.killed = task, kill, make(chan struct{})
}

func (l *taskLedger) awaitKill(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	killed := l.killed
	l.mu.Unlock()
	select {
	case <-killed:
	case <-time.After(takeoverTimeout):
		t.Fatal("the task at which to kill does not arrive")
	}
}

// wantEach checks that each task of an item has arrived under one webhook-id, in order.
func (l *taskLedger) wantEach(item string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := strings.Join(l.order[item], " "); got != strings.Join(killTasks, " ") {
		l.t.Errorf("the tasks of %s arrived as %s, with the ids %v", item, got, l.ids)
	}
}
