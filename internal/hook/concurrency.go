package hook

import (
	"sync"

	"github.com/google/uuid"
)

// concurrency bounds the number of tasks that run at the same time for each id.
type concurrency struct {
	limit int

	mu      sync.Mutex
	running map[uuid.UUID]int
}

func newConcurrency(limit int) *concurrency {
	return &concurrency{limit: limit, running: make(map[uuid.UUID]int)}
}

// enter reports whether one more may run; the caller then calls leave.
func (c *concurrency) enter(id uuid.UUID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[id] >= c.limit {
		return false
	}
	c.running[id]++
	return true
}

func (c *concurrency) leave(id uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[id]--; c.running[id] == 0 {
		delete(c.running, id)
	}
}
