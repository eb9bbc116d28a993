package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/wake"
)

const (
	runsPerSecond    = 50
	actionsOfRun     = 5
	tasksOfRun       = 3
	changesOfRun     = 1 + 1 + actionsOfRun + tasksOfRun // creation, start, one for each action and task
	postgresOfRun    = 10 * time.Millisecond             // CPU time
	maxWorkflowWaits = 5 * time.Minute                   // until the last change, on a busy machine
)

// workflowProfile has five automatic actions and three tasks. Without a processor, process is skipped; its move is the
// same.
const workflowProfile = `{"name":%q,
	"actions":[
		{"key":"process","kind":"process","name":"Process"},
		{"key":"unlisted","kind":"publish","name":"Unlisted","settings":{"privacy":"unlisted"}},
		{"key":"draft","kind":"archive","name":"Draft","settings":{"tags":["draft"]}},
		{"key":"public","kind":"publish","name":"Public","settings":{"privacy":"public"}},
		{"key":"archive","kind":"archive","name":"Archive"}],
	"tasks":[
		{"key":"begun","name":"Begun","kind":"http_post","at":"workflow_start","url":%[2]q},
		{"key":"told","name":"Public","kind":"http_post","at":"after_action","action":"public","url":%[2]q},
		{"key":"ended","name":"Ended","kind":"http_post","at":"workflow_complete","url":%[2]q}]}`

// workflowRuns creates items with a workflow at a steady rate. It measures the time between two changes of a run, which
// is that of a step, as a subscriber sees it, and the CPU time of a run: how much more such items cost than as many
// without a workflow. Moves of one transaction arrive together.
func workflowRuns(ctx context.Context, s *stage) (result, error) {
	if s.other != nil {
		if _, err := s.other.makeWorkflow(ctx, "http://127.0.0.1:9/"); err != nil {
			s.logf("the other build has no such workflows: %v", err)
			s.other = nil
		}
	}
	r, err := s.alternate(ctx, s.rounds(1), p50Of, s.sides(workflowRound, nil))
	r.checkDelivery(runsPerSecond)
	if used := r.this.cpu.by(r.this.count).postgres; used > postgresOfRun {
		r.unmet = append(r.unmet, fmt.Sprintf("%.1f ms of Postgres's CPU time a run", 1e3*used.Seconds()))
	}
	r.note(func(one side) string {
		return fmt.Sprintf("%d runs of %d actions and %d tasks. Shown: one change of a run → the next. CPU time is what "+
			"an item with a run costs more than one without. Lost tasks and changes out of order: none.",
			one.count, actionsOfRun, tasksOfRun)
	})
	return r, err
}

func workflowRound(ctx context.Context, b *build) (r round, err error) {
	received, arrived := new(atomic.Int64), wake.New()
	endpoint := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		received.Add(1)
		arrived.Send()
	}))
	defer endpoint.Close()
	profile, err := b.makeWorkflow(ctx, endpoint.URL+"/")
	if err != nil {
		return round{}, err
	}
	used := b.processes().cpuUsed()
	if _, err := b.createSteadily(ctx, runsPerSecond, writingTime, nil); err != nil {
		return round{}, err
	}
	without := b.processes().cpuUsed().minus(used)
	group, reading := errgroup.WithContext(ctx)
	one, err := openSubscriber(reading, b.addr)
	if err != nil {
		return round{}, fmt.Errorf("subscribe: %w", err)
	}
	defer func() {
		one.close()
		_ = group.Wait()
	}()
	group.Go(one.read)
	begun := time.Now()
	used = b.processes().cpuUsed()
	runs, err := b.createSteadily(ctx, runsPerSecond, writingTime, &profile)
	if err != nil {
		return round{}, err
	}
	r.perSecond = float64(runs) / time.Since(begun).Seconds()
	waiting, cancel := context.WithTimeout(ctx, maxWorkflowWaits)
	defer cancel()
	for one.count() < runs*changesOfRun {
		if err := one.await(waiting, runs*changesOfRun); err != nil && waiting.Err() != nil {
			return round{}, fmt.Errorf("%d of %d changes arrived: %w", one.count(), runs*changesOfRun, err)
		}
	}
	for received.Load() < int64(runs*tasksOfRun) {
		select {
		case <-arrived:
		case <-waiting.Done():
			return round{}, fmt.Errorf("%d of %d tasks arrived", received.Load(), runs*tasksOfRun)
		}
	}
	r.count, r.cpu = runs, b.processes().cpuUsed().minus(used).minus(without)
	arrivals, err := one.arrivals()
	if err != nil {
		return round{}, err
	}
	r.addSteps(arrivals)
	return r, nil
}

// makeWorkflow returns the id of a new profile whose tasks go to a URL.
func (b *build) makeWorkflow(ctx context.Context, url string) (id string, err error) {
	made, err := b.api(ctx, http.MethodPost, "/api/v1/workflow-profiles",
		fmt.Sprintf(workflowProfile, uuid.NewString(), url))
	if err != nil {
		return "", fmt.Errorf("make a workflow profile: %w", err)
	}
	return between(made, `"id":"`, `"`), nil
}

// createSteadily creates items at a fixed rate, with a workflow profile unless it is nil, and returns their number.
// When it is late, it catches up.
func (b *build) createSteadily(
	ctx context.Context, perSecond int, lasting time.Duration, profile *string,
) (created int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	begun := time.Now()
	for ; ; created++ {
		due := time.Duration(created) * time.Second / time.Duration(perSecond)
		if due >= lasting {
			return created, group.Wait()
		}
		if err := sleepUntil(ctx, begun.Add(due)); err != nil {
			return created, group.Wait()
		}
		input, err := json.Marshal(map[string]any{"name": fmt.Sprintf("Run %d", created), "workflow_profile_id": profile})
		if err != nil {
			return created, err
		}
		group.Go(func() error {
			_, err := b.api(ctx, http.MethodPost, "/api/v1/items", string(input))
			return err
		})
	}
}

// addSteps adds the times between the changes of each item, and counts revisions that are out of order. A task repeats
// the revision of its moment.
func (r *round) addSteps(arrivals []arrival) {
	last := map[uuid.UUID]arrival{}
	for _, a := range arrivals {
		before, known := last[a.item]
		if known && a.n != before.n && a.n != before.n+1 {
			r.disordered++
		}
		if known && a.n != before.n {
			r.latencies = append(r.latencies, a.received.Sub(before.received))
		}
		last[a.item] = a
	}
	r.changes, r.latencies = len(arrivals), sorted(r.latencies)
}
