package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

const (
	idleSubscribers = 5000
	idleBudget      = 25_000 // bytes
)

// idle measures what a subscription costs the product's process that nothing is told: by how much thousands of them raise the memory that is
// resident and not held free by Go's runtime for later. What the kernel keeps for a connection is not the process's.
func idle(ctx context.Context, s *stage) (result, error) {
	one, err := s.followProduct(1)(ctx, 0) // the first signs in, and costs what is paid once
	if err != nil {
		return result{}, err
	}
	defer one.close()
	before, err := s.settledMemory(ctx)
	if err != nil {
		return result{}, err
	}
	all, err := openFollowers(ctx, idleSubscribers, s.followProduct(1))
	defer all.close()
	if err != nil {
		return result{}, err
	}
	after, err := s.settledMemory(ctx)
	if err != nil {
		return result{}, err
	}
	each := (after.used - before.used) / idleSubscribers
	return result{
		product: side{bytes: each}, met: each <= idleBudget,
		notes: []string{fmt.Sprintf("%d subscriptions on as many connections; process memory in use %.1f → %.1f MB, resident %.1f → %.1f MB, goroutines %.0f → %.0f.",
			idleSubscribers, before.used/1e6, after.used/1e6, before.resident/1e6, after.resident/1e6, before.goroutines, after.goroutines)},
	}, nil
}

// memory is what the product's process has of it.
type memory struct{ used, resident, goroutines float64 }

// settledMemory has garbage collected more than once: a collection halves stacks that have become too large, and frees what finalizers held.
func (s *stage) settledMemory(ctx context.Context) (m memory, err error) {
	for range 4 {
		if err := sleepUntil(ctx, time.Now().Add(500*time.Millisecond)); err != nil {
			return m, err
		}
		if _, err := s.ops(ctx, "/debug/pprof/heap?gc=1"); err != nil {
			return m, err
		}
	}
	metrics, err := s.ops(ctx, "/metrics")
	if err != nil {
		return m, err
	}
	var unused, released float64
	for name, value := range map[string]*float64{
		"process_resident_memory_bytes": &m.resident, "go_memstats_heap_idle_bytes": &unused, "go_memstats_heap_released_bytes": &released,
		"go_goroutines": &m.goroutines,
	} {
		if *value, err = strconv.ParseFloat(between(metrics, "\n"+name+" ", "\n"), 64); err != nil {
			return m, err
		}
	}
	m.used = m.resident - (unused - released)
	return m, nil
}
