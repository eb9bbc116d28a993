package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

const (
	manyRuns        = 10_000
	fewRuns         = 200
	workflowTimeout = 30 * time.Minute // for all runs
	workflowPoll    = time.Second
)

// soakedWorkflow waits for a person first, so that all runs are on their way together. The run waits for each task.
const soakedWorkflow = `{"name":"Soak",
	"actions":[
		{"key":"review","kind":"approve","name":"Review"},
		{"key":"publish","kind":"publish","name":"Publish","settings":{"privacy":"public"}},
		{"key":"archive","kind":"archive","name":"Archive"}],
	"tasks":[
		{"key":"begun","name":"Begun","kind":"http_post","at":"workflow_start","url":%[1]q,"wait":true},
		{"key":"reviewed","name":"Reviewed","kind":"http_post","at":"after_action","action":"review","url":%[1]q,"wait":true},
		{"key":"published","name":"Published","kind":"http_post","at":"after_action","action":"publish",
			"url":%[1]q,"wait":true}]}`

// soakedTasks are the keys of its tasks, in their order.
var soakedTasks = []string{"begun", "reviewed", "published"}

// soakWorkflows starts runs on two nodes, approves each at one of them, and kills a node in the middle. It fails when a
// run does not end as it should, and when a task is lost, out of order, or sent under two ids.
func soakWorkflows(ctx context.Context, b *build, c SoakConfig, _ time.Duration) error {
	count := manyRuns
	if c.Short {
		count = fewRuns
	}
	ctx, cancel := context.WithTimeout(ctx, workflowTimeout)
	defer cancel()
	second, err := b.startSecond(ctx)
	if err != nil {
		return fmt.Errorf("start the second node: %w", err)
	}
	defer second.stop()
	tasks := newTaskRecord()
	endpoint := httptest.NewServer(tasks)
	defer endpoint.Close()
	items, err := b.startRuns(ctx, endpoint.URL+"/", count)
	if err != nil {
		return err
	}
	if err := b.awaitRuns(ctx, "waiting", count); err != nil {
		return err
	}
	begun := time.Now()
	k := soakedKill{build: b, second: second, items: items}
	if err := k.approveAll(ctx); err != nil {
		return err
	}
	if err := b.awaitRuns(ctx, "completed", count); err != nil {
		return err
	}
	if err := errors.Join(tasks.check(items), b.checkRevisions(ctx, items)); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%d runs over two nodes, one killed. Before: %s. One second after: %s. All completed %s after the "+
		"first approval. Tasks lost, out of order or under two ids: none; repeated under their id: %d.\n",
		count, k.before, k.after, time.Since(begun).Round(time.Second), tasks.repeated)
	return nil
}

// startRuns imports items with a new profile, and returns their ids.
func (b *build) startRuns(ctx context.Context, url string, count int) (items []uuid.UUID, err error) {
	made, err := b.api(ctx, http.MethodPost, "/api/v1/workflow-profiles", fmt.Sprintf(soakedWorkflow, url))
	if err != nil {
		return nil, fmt.Errorf("make a workflow profile: %w", err)
	}
	profile := between(made, `"id":"`, `"`)
	var lines strings.Builder
	for n := range count {
		items = append(items, uuid.Must(uuid.NewV7()))
		fmt.Fprintf(&lines, "{\"id\":%q,\"name\":\"Run %d\",\"workflow_profile_id\":%q}\n", items[n], n, profile)
	}
	answer, err := b.apiAs(ctx, http.MethodPost, "/api/v1/items/import", "application/x-ndjson",
		strings.NewReader(lines.String()))
	if err != nil {
		return nil, fmt.Errorf("import items: %w", err)
	}
	if rejected := between(answer, `"rejected":`, ","); rejected != "0" {
		return nil, fmt.Errorf("the import rejects items: %.500s", answer)
	}
	return items, nil
}

// awaitRuns waits until as many runs have a status.
func (b *build) awaitRuns(ctx context.Context, status string, count int) error {
	for {
		states, err := b.runsByState(ctx)
		if err != nil {
			return err
		}
		if states[status] == count {
			return nil
		}
		b.logf("runs: %s", states)
		if states["failed"] > 0 {
			return fmt.Errorf("runs fail: %s", states)
		}
		if err := sleep(ctx, workflowPoll); err != nil {
			return fmt.Errorf("wait for %d runs that are %s: %s: %w", count, status, states, err)
		}
	}
}

// runStates are the numbers of runs by status.
type runStates map[string]int

func (s runStates) String() string {
	var parts []string
	for _, status := range []string{"pending", "running", "waiting", "completed", "failed", "cancelled"} {
		if s[status] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", s[status], status))
		}
	}
	return strings.Join(parts, ", ")
}

func (b *build) runsByState(ctx context.Context) (runStates, error) {
	rows, err := b.pool.Query(ctx, "SELECT status, count(*) FROM workflow_run GROUP BY status")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	states := runStates{}
	for rows.Next() {
		var status string
		var count int
		if err := rows.Scan(&status, &count); err != nil {
			return nil, err
		}
		states[status] = count
	}
	return states, rows.Err()
}

// soakedKill approves runs at two nodes and kills the second one in the middle.
type soakedKill struct {
	*build
	second        *node
	items         []uuid.UUID
	before, after runStates
}

func (k *soakedKill) approveAll(ctx context.Context) error {
	half := len(k.items) / 2
	if err := k.approve(ctx, k.items[:half]); err != nil {
		return err
	}
	var err error
	if k.before, err = k.runsByState(ctx); err != nil {
		return err
	}
	if err := k.second.cmd.Process.Kill(); err != nil {
		return err
	}
	<-k.second.ended
	if err := sleep(ctx, time.Second); err != nil {
		return err
	}
	if k.after, err = k.runsByState(ctx); err != nil {
		return err
	}
	return k.approve(ctx, k.items[half:])
}

func (k *soakedKill) approve(ctx context.Context, items []uuid.UUID) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for n, item := range items {
		at := k.node
		if n%2 == 1 && !isClosed(k.second.ended) {
			at = k.second
		}
		group.Go(func() error {
			_, err := at.api(ctx, http.MethodPost, fmt.Sprintf("/api/v1/items/%s/workflow/actions/review/approve", item), "{}")
			return err
		})
	}
	return group.Wait()
}

// checkRevisions compares each item's revision with its changes: each revision has one, and no other change but a task
// has none.
func (b *build) checkRevisions(ctx context.Context, items []uuid.UUID) error {
	var wrong int
	err := b.pool.QueryRow(ctx, `SELECT count(*) FROM item i WHERE i.id = ANY ($1) AND ARRAY(
			SELECT c.revision FROM item_change c WHERE c.item_id = i.id AND c.kind <> 'TRIGGERED' ORDER BY c.id
		) <> ARRAY(SELECT generate_series(1, i.revision))`, items).Scan(&wrong)
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d items have revisions without a change, or out of order", wrong)
	}
	return err
}

// taskRecord is an endpoint that records the tasks of workflows.
type taskRecord struct {
	mu       sync.Mutex
	arrived  map[string][]sentTask // by item, in order
	repeated int
}

type sentTask struct{ key, id string }

func newTaskRecord() *taskRecord { return &taskRecord{arrived: map[string][]sentTask{}} }

// ServeHTTP records a task.
func (t *taskRecord) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is away, and sends it again
	}
	item := between(body, `"id":"`, `"`)
	task := sentTask{r.Header.Get("itemcast-task"), r.Header.Get("webhook-id")}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, known := range t.arrived[item] {
		if known == task {
			t.repeated++
			return
		}
	}
	t.arrived[item] = append(t.arrived[item], task)
}

// check returns an error if an item did not have each task once, in order.
func (t *taskRecord) check(items []uuid.UUID) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, item := range items {
		var keys []string
		for _, task := range t.arrived[item.String()] {
			keys = append(keys, task.key)
		}
		if !slices.Equal(keys, soakedTasks) {
			return fmt.Errorf("the tasks of item %s arrived as %v: %v", item, keys, t.arrived[item.String()])
		}
	}
	return nil
}
