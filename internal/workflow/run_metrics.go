package workflow

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// metricsTimeout is how long a scrape waits for the database. After that it succeeds without the gauges.
const metricsTimeout = 2 * time.Second

var (
	runsDesc = prometheus.NewDesc("itemcast_workflow_runs",
		"Runs of workflows on all nodes that have not ended, by status.", []string{"status"}, nil)
	oldestDesc = prometheus.NewDesc("itemcast_workflow_oldest_wait_seconds",
		"Age of the step that has waited longest for a person.", nil, nil)
	processingDesc = prometheus.NewDesc("itemcast_processing_items", "Items whose media this node processes.", nil, nil)
	toProcessDesc  = prometheus.NewDesc("itemcast_processing_waiting_items",
		"Items of all nodes that wait for a node which processes media.", nil, nil)
	stepsDesc = prometheus.NewDesc("itemcast_workflow_steps_total",
		"Steps of workflows that this node has taken.", nil, nil)
	endedDesc = prometheus.NewDesc("itemcast_workflow_runs_ended_total",
		"Runs of workflows that have ended on this node, by status.", []string{"status"}, nil)
	actionFailuresDesc = prometheus.NewDesc("itemcast_workflow_action_failures_total",
		"Actions of workflows that have failed on this node, by kind.", []string{"kind"}, nil)
	taskFailuresDesc = prometheus.NewDesc("itemcast_workflow_task_failures_total",
		"Awaited tasks of workflows that have failed a run on this node, by moment.", []string{"at"}, nil)
)

// runMetrics counts what this node has done.
type runMetrics struct {
	processing     atomic.Int64 // items that this node processes
	mu             sync.Mutex
	steps          int
	ended          map[machine.Status]int
	actionFailures map[machine.ActionKind]int
	taskFailures   map[machine.TaskTime]int
}

func newRunMetrics() *runMetrics {
	return &runMetrics{ended: map[machine.Status]int{}, actionFailures: map[machine.ActionKind]int{},
		taskFailures: map[machine.TaskTime]int{}}
}

// count counts a committed move.
func (m *runMetrics) count(d machine.Definition, before, after machine.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steps++
	if after.Status.HasEnded() {
		m.ended[after.Status]++
	}
	for n := range after.Actions {
		if after.Actions[n].Status == machine.ActionFailed && before.Actions[n].Status != machine.ActionFailed {
			m.actionFailures[d.Actions[n].Kind]++
		}
	}
	if after.Status != machine.Failed {
		return
	}
	for n := range before.Tasks {
		if before.Tasks[n].Awaited {
			m.taskFailures[d.Tasks[n].At]++
		}
	}
}

// Describe makes the service a prometheus.Collector.
func (s *Service) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		runsDesc, oldestDesc, processingDesc, toProcessDesc, stepsDesc, endedDesc, actionFailuresDesc, taskFailuresDesc,
	} {
		out <- desc
	}
}

// Collect reports the metrics.
func (s *Service) Collect(out chan<- prometheus.Metric) {
	s.metrics.collect(out)
	ctx, cancel := context.WithTimeout(context.Background(), metricsTimeout)
	defer cancel()
	rows, err := store.New(s.moves).CountRuns(ctx)
	if err != nil {
		return
	}
	count, oldest := map[machine.Status]int64{machine.Pending: 0, machine.Running: 0, machine.Waiting: 0}, 0.0
	for _, row := range rows {
		count[machine.Status(row.Status)] = row.Runs
		if machine.Status(row.Status) == machine.Waiting {
			oldest = row.Oldest
		}
	}
	for status, n := range count {
		out <- prometheus.MustNewConstMetric(runsDesc, prometheus.GaugeValue, float64(n), string(status))
	}
	out <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, oldest)
	waiting, err := store.New(s.moves).CountProcess(ctx)
	if err == nil {
		out <- prometheus.MustNewConstMetric(toProcessDesc, prometheus.GaugeValue, float64(waiting))
	}
}

func (m *runMetrics) collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(processingDesc, prometheus.GaugeValue, float64(m.processing.Load()))
	m.mu.Lock()
	defer m.mu.Unlock()
	out <- prometheus.MustNewConstMetric(stepsDesc, prometheus.CounterValue, float64(m.steps))
	for status, n := range m.ended {
		out <- prometheus.MustNewConstMetric(endedDesc, prometheus.CounterValue, float64(n), string(status))
	}
	for kind, n := range m.actionFailures {
		out <- prometheus.MustNewConstMetric(actionFailuresDesc, prometheus.CounterValue, float64(n), string(kind))
	}
	for at, n := range m.taskFailures {
		out <- prometheus.MustNewConstMetric(taskFailuresDesc, prometheus.CounterValue, float64(n), string(at))
	}
}
