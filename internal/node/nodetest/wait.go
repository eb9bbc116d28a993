package nodetest

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Timeout limits each wait. Only a test that fails waits as long.
const Timeout = time.Minute

// MediaTimeout limits the waits for programs such as ffmpeg: a busy machine leaves them little of its processors.
const MediaTimeout = 5 * time.Minute

// pollInterval is the time between two looks at a condition that has no signal.
const pollInterval = 5 * time.Millisecond

// Next returns the next value of a channel.
func Next[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(Timeout):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// Eventually polls until a condition holds. what is for the failure's text.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	EventuallyWithin(t, Timeout, what, holds)
}

// EventuallyWithin is Eventually with another limit.
func EventuallyWithin(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	tick, end := time.NewTicker(pollInterval), time.After(limit)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("timed out waiting: %s", what)
		}
	}
}

// Metric returns the value of one of the node's metrics of subscribers.
func (n *Node) Metric(name string) float64 {
	n.T.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(n.Hub)
	families, err := registry.Gather()
	if err != nil {
		n.T.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			metric := family.GetMetric()[0]
			return metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	n.T.Fatalf("there is no metric %s", name)
	return 0
}
