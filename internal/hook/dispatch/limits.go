package dispatch

import (
	"sync"

	"github.com/google/uuid"
)

// limits remembers which hooks have a rate limit or a limit of requests in flight. ClaimDeliveries skips those hooks.
// When a hook has just got a limit, its deliveries wait until the next sweep adds the hook here. The methods may be
// called concurrently.
type limits struct {
	mu    sync.Mutex
	hooks map[uuid.UUID]bool
}

func (l *limits) set(hook uuid.UUID, limited bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !limited {
		delete(l.hooks, hook)
		return
	}
	if l.hooks == nil {
		l.hooks = make(map[uuid.UUID]bool)
	}
	l.hooks[hook] = true
}

// among returns those of the hooks that have limits.
func (l *limits) among(hooks []uuid.UUID) (limited []uuid.UUID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range hooks {
		if l.hooks[id] {
			limited = append(limited, id)
		}
	}
	return limited
}
