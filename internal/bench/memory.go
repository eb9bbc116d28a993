package bench

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// settleTimeout is longer than the node waits for a client that stalls. It is also the time that residents of a soak
// have to reach the end of the log after the last change.
const settleTimeout = 60 * time.Second

// memory is what a node's process uses. All but goroutines are bytes.
type memory struct {
	heap       float64 // in use
	resident   float64
	unused     float64 // resident, but free memory of Go's heap
	goroutines float64
}

// used is the resident memory without the free memory that Go's runtime retains.
func (m memory) used() float64 { return m.resident - m.unused }

func (n *node) memory(ctx context.Context) (m memory, err error) {
	metrics, err := n.ops(ctx, "/metrics")
	if err != nil {
		return m, err
	}
	var idle, released float64
	for name, value := range map[string]*float64{
		"go_memstats_heap_alloc_bytes":    &m.heap,
		"process_resident_memory_bytes":   &m.resident,
		"go_memstats_heap_idle_bytes":     &idle,
		"go_memstats_heap_released_bytes": &released,
		"go_goroutines":                   &m.goroutines,
	} {
		if *value, err = strconv.ParseFloat(between(metrics, "\n"+name+" ", "\n"), 64); err != nil {
			return m, err
		}
	}
	m.unused = idle - released
	return m, nil
}

// collectedMemory is the memory after a garbage collection.
func (n *node) collectedMemory(ctx context.Context) (memory, error) {
	if _, err := n.ops(ctx, "/debug/pprof/heap?gc=1"); err != nil {
		return memory{}, err
	}
	return n.memory(ctx)
}

// settledMemory returns the memory after several collections: each halves the stacks that are too large, and frees
// objects that waited for finalizers.
func (n *node) settledMemory(ctx context.Context) (m memory, err error) {
	for range 4 {
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return m, err
		}
		if m, err = n.collectedMemory(ctx); err != nil {
			return m, err
		}
	}
	return m, nil
}

// quietMemory waits until the node has no more goroutines than before, or until settleTimeout.
func (n *node) quietMemory(ctx context.Context, before memory) (m memory, err error) {
	http.DefaultClient.CloseIdleConnections()
	for end := time.Now().Add(settleTimeout); ; {
		if m, err = n.collectedMemory(ctx); err != nil || m.goroutines <= before.goroutines || time.Now().After(end) {
			return m, err
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return m, err
		}
	}
}
