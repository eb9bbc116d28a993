package hook

import (
	"sync"

	"github.com/google/uuid"
)

// lookout is a set of hooks that something has happened to. The zero value is not usable; see newLookout.
type lookout struct {
	added chan struct{} // has a token after an add

	mu    sync.Mutex
	hooks map[uuid.UUID]struct{}
}

func newLookout() *lookout {
	return &lookout{added: make(chan struct{}, 1), hooks: make(map[uuid.UUID]struct{})}
}

func (l *lookout) add(hooks []uuid.UUID) {
	l.mu.Lock()
	for _, h := range hooks {
		l.hooks[h] = struct{}{}
	}
	l.mu.Unlock()
	signal(l.added)
}

func (l *lookout) take() []uuid.UUID {
	l.mu.Lock()
	defer l.mu.Unlock()
	hooks := make([]uuid.UUID, 0, len(l.hooks))
	for h := range l.hooks {
		hooks = append(hooks, h)
	}
	clear(l.hooks)
	return hooks
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
