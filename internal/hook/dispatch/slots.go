package dispatch

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// An endpoint that has failed deadAfter times in a row counts as dead until an attempt succeeds. It gets only
	// deadSlots: each slot costs a connection and a document in memory for up to the timeout.
	deadAfter = 16
	deadSlots = 4

	maxHooksPerClaim = 64     // of one statement
	maxEndpoints     = 10_000 // above this number, idle endpoints are forgotten; most belong to deleted hooks

	// slowTook is the average time to answer that markSlow sets. After some 40 quick answers the hook is quick again.
	slowTook = 2 * time.Second
)

// slots counts the deliveries that this node has in flight for each hook, and remembers which hooks may have due
// deliveries. Its methods may be called concurrently.
type slots struct {
	perHook int

	mu        sync.Mutex
	endpoints map[uuid.UUID]*endpoint // by hook
	due       map[uuid.UUID]struct{}  // hooks that may have due deliveries
}

type endpoint struct {
	inFlight int
	failures int           // in a row
	took     time.Duration // a moving average of the time to answer; zero: not known
}

func newSlots(perHook int) *slots {
	return &slots{perHook: perHook, endpoints: make(map[uuid.UUID]*endpoint), due: make(map[uuid.UUID]struct{})}
}

// markDue notes that hooks may have due deliveries.
func (s *slots) markDue(hooks []uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range hooks {
		s.due[h] = struct{}{}
	}
}

// share reserves up to n free slots of a hook for direct sending. When the hook may have due deliveries, that is
// half of the free ones: the queue needs the rest.
func (s *slots) share(h uuid.UUID, n int) (reserved int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoint(h)
	free := s.limit(e) - e.inFlight
	if _, due := s.due[h]; due {
		free /= 2
	}
	reserved = max(0, min(n, free))
	e.inFlight += reserved
	return reserved
}

// reserve takes all free slots of hooks that may have due deliveries, and unmarks these hooks. Hooks without a free
// slot stay marked as due.
func (s *slots) reserve() (hooks []uuid.UUID, free []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h := range s.due { // in random order, so that all get their turn
		e := s.endpoint(h)
		n := s.limit(e) - e.inFlight
		if n <= 0 {
			continue
		}
		e.inFlight += n
		hooks, free = append(hooks, h), append(free, int32(n))
		delete(s.due, h)
		if len(hooks) == maxHooksPerClaim {
			break
		}
	}
	return hooks, free
}

// releaseUnused releases the reserved slots for which there was no delivery, and returns the hooks that used all of
// theirs.
func (s *slots) releaseUnused(hooks []uuid.UUID, reserved []int32, used map[uuid.UUID]int32) (full []uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, h := range hooks {
		if used[h] == reserved[i] {
			full = append(full, h)
		}
		s.free(h, int(reserved[i]-used[h]))
	}
	return full
}

// release releases one slot, and reports whether the hook may have due deliveries.
func (s *slots) release(h uuid.UUID) (due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free(h, 1)
	_, due = s.due[h]
	return due
}

// quick reports whether a hook works and answers within the given time. An unknown hook counts as quick.
func (s *slots) quick(h uuid.UUID, within time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoints[h]
	return e == nil || e.failures == 0 && e.took <= within
}

// record records the verdict and the time of one answer.
func (s *slots) record(h uuid.UUID, v verdict, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoint(h)
	switch v {
	case succeeded:
		e.failures = 0
	case retry, failed, gone:
		e.failures++
	case returned:
		return
	}
	if e.took == 0 {
		e.took = took
	}
	e.took = max(1, e.took+(took-e.took)/8)
}

// markSlow notes that a hook has delayed a fan-out. It becomes quick again by its answers to queued deliveries.
func (s *slots) markSlow(h uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoint(h)
	e.took = max(e.took, slowTook)
}

// endpoint, limit and free need mu.
func (s *slots) endpoint(h uuid.UUID) *endpoint {
	e := s.endpoints[h]
	if e == nil {
		e = &endpoint{}
		s.endpoints[h] = e
	}
	return e
}

func (s *slots) limit(e *endpoint) int {
	if e.failures >= deadAfter {
		return min(deadSlots, s.perHook)
	}
	return s.perHook
}

func (s *slots) free(h uuid.UUID, n int) {
	s.endpoints[h].inFlight -= n
	if len(s.endpoints) <= maxEndpoints {
		return
	}
	for id, e := range s.endpoints {
		if e.inFlight == 0 {
			delete(s.endpoints, id)
		}
	}
}
