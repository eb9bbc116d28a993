package dispatch

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// An endpoint that has failed so often in a row is dead until an attempt succeeds, and gets fewer slots: each costs a connection and
	// a document in memory for up to the timeout.
	deadAfter = 16
	deadSlots = 4

	hooksPerClaim = 64 // what one statement looks at, at most
	manyLanes     = 10_000

	slowTook = 2 * time.Second // some 40 quick answers from being quick again
)

// slots keeps, for each hook, how much of it is in flight here, and which hooks may have due deliveries.
type slots struct {
	most int // for one hook

	mu     sync.Mutex
	lanes  map[uuid.UUID]*lane
	asking map[uuid.UUID]struct{} // hooks that may have due deliveries
}

type lane struct {
	inFlight int
	failures int           // in a row
	took     time.Duration // to answer, of late (a moving average); zero: not known
}

func newSlots(most int) *slots {
	return &slots{most: most, lanes: make(map[uuid.UUID]*lane), asking: make(map[uuid.UUID]struct{})}
}

// ask notes that hooks may have due deliveries.
func (s *slots) ask(hooks []uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range hooks {
		s.asking[h] = struct{}{}
	}
}

// share reserves up to n free slots of a hook for direct sending: half of the free ones when the hook has due deliveries, which need the rest.
func (s *slots) share(h uuid.UUID, n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(h)
	free := s.limit(l) - l.inFlight
	if _, due := s.asking[h]; due {
		free /= 2
	}
	n = max(0, min(n, free))
	l.inFlight += n
	return n
}

func (s *slots) lane(h uuid.UUID) *lane {
	l := s.lanes[h]
	if l == nil {
		l = &lane{}
		s.lanes[h] = l
	}
	return l
}

// quick reports whether a hook works, and answers within so long. One of which nothing is known yet is given the chance.
func (s *slots) quick(h uuid.UUID, within time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[h]
	return l == nil || l.failures == 0 && l.took <= within
}

// reserve takes the free slots of hooks that ask, which then ask no more. Hooks without a free slot go on asking.
func (s *slots) reserve() (hooks []uuid.UUID, free []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h := range s.asking { // in random order, so that all get their turn
		l := s.lane(h)
		n := s.limit(l) - l.inFlight
		if n <= 0 {
			continue
		}
		l.inFlight += n
		hooks, free = append(hooks, h), append(free, int32(n))
		delete(s.asking, h)
		if len(hooks) == hooksPerClaim {
			break
		}
	}
	return hooks, free
}

func (s *slots) limit(l *lane) int {
	if l.failures >= deadAfter {
		return min(deadSlots, s.most)
	}
	return s.most
}

// settle gives back the reserved slots that found no delivery, and returns the hooks that used all of theirs.
func (s *slots) settle(hooks []uuid.UUID, reserved []int32, used map[uuid.UUID]int32) (full []uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, h := range hooks {
		if used[h] == reserved[i] {
			full = append(full, h)
		}
		s.release(h, int(reserved[i]-used[h]))
	}
	return full
}

// note takes note of how a hook has answered.
func (s *slots) note(h uuid.UUID, v verdict, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(h)
	switch v {
	case succeeded:
		l.failures = 0
	case retry, failed, gone:
		l.failures++
	case returned:
		return
	}
	if l.took == 0 {
		l.took = took
	}
	l.took = max(1, l.took+(took-l.took)/8)
}

// slow notes that a hook lets others wait: it has to show by way of the queue that it is quick again.
func (s *slots) slow(h uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(h)
	l.took = max(l.took, slowTook)
}

// free gives a slot back; more says that the hook asks for it.
func (s *slots) free(h uuid.UUID) (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(h, 1)
	_, more = s.asking[h]
	return more
}

// release forgets lanes that have nothing in flight, once there are many: of most of them the hooks are gone.
func (s *slots) release(h uuid.UUID, n int) {
	s.lanes[h].inFlight -= n
	if len(s.lanes) <= manyLanes {
		return
	}
	for id, l := range s.lanes {
		if l.inFlight == 0 {
			delete(s.lanes, id)
		}
	}
}
