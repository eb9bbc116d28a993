package dispatch

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"itemcast/internal/change"
	"itemcast/internal/hook/internal/store"
)

// backlogTimeout is how long a scrape waits for the database. After that it succeeds without the gauge.
const backlogTimeout = 2 * time.Second

var (
	attemptsDesc = prometheus.NewDesc("itemcast_hook_attempts_total",
		"Attempts of this node to deliver, by outcome.", []string{"outcome"}, nil)
	backlogDesc = prometheus.NewDesc("itemcast_hook_backlog",
		"Pending deliveries of all nodes, counted up to 100,000.", nil, nil)
)

// attempts counts attempts by outcome.
type attempts struct{ succeeded, retried, failed atomic.Int64 }

func (a *attempts) count(v verdict) {
	switch v {
	case succeeded:
		a.succeeded.Add(1)
	case retry:
		a.retried.Add(1)
	case failed, gone:
		a.failed.Add(1)
	}
}

// Describe makes the dispatcher a prometheus.Collector.
func (d *Dispatcher) Describe(out chan<- *prometheus.Desc) { out <- attemptsDesc; out <- backlogDesc }

// Collect reports the metrics.
func (d *Dispatcher) Collect(out chan<- prometheus.Metric) {
	for outcome, n := range map[string]int64{
		"succeeded": d.attempts.succeeded.Load(),
		"retried":   d.attempts.retried.Load(),
		"failed":    d.attempts.failed.Load(),
	} {
		out <- prometheus.MustNewConstMetric(attemptsDesc, prometheus.CounterValue, float64(n), outcome)
	}
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	backlog, err := store.New(d.pool).Backlog(ctx)
	if err != nil {
		return
	}
	out <- prometheus.MustNewConstMetric(backlogDesc, prometheus.GaugeValue, float64(backlog))
}

// Hold returns the position up to which no delivery is pending and every replay has read. The log must retain the
// changes after it (change.Hold).
func (d *Dispatcher) Hold(ctx context.Context) (change.Position, error) {
	position, err := store.New(d.pool).DoneBefore(ctx)
	return change.Position(position), err
}
