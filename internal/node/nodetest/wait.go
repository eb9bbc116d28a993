package nodetest

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// await polls for what happens in the background.
func Await(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Timeout); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come")
		}
	}
}

func Next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(Timeout):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// metric is what the node tells operators of its subscribers.
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
			one := family.GetMetric()[0]
			return one.GetGauge().GetValue() + one.GetCounter().GetValue()
		}
	}
	n.T.Fatalf("there is no %s", name)
	return 0
}

func (n *Client) Eventually(what string, done func() bool) {
	n.T.Helper()
	n.EventuallyWithin(Timeout, what, done)
}

func (n *Client) EventuallyWithin(limit time.Duration, what string, done func() bool) {
	n.T.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			n.T.Fatalf("it never came to this: %s", what)
		}
	}
}
