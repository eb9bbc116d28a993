package hook

import (
	"sync"

	"github.com/google/uuid"
)

const (
	// An endpoint that has failed so often in a row is dead until an attempt succeeds, and gets fewer slots: each costs a connection and
	// a document in memory for up to the timeout.
	deadAfter = 16
	deadSlots = 4

	hooksPerClaim = 64 // what one statement looks at, at most
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
	failures int // in a row
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

// take reserves up to n free slots of a hook, none while it asks: what is due already goes first.
func (s *slots) take(h uuid.UUID, n int32) int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, asks := s.asking[h]; asks {
		return 0
	}
	l := s.lane(h)
	n = min(n, int32(s.limit(l)-l.inFlight))
	if n <= 0 {
		s.release(h, 0)
		return 0
	}
	l.inFlight += int(n)
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

// done gives a slot back; more says that the hook asks for it.
func (s *slots) done(h uuid.UUID, v verdict) (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch l := s.lanes[h]; v {
	case succeeded:
		l.failures = 0
	case retry, failed, gone:
		l.failures++
	}
	s.release(h, 1)
	_, more = s.asking[h]
	return more
}

// release forgets a lane that has nothing to tell.
func (s *slots) release(h uuid.UUID, n int) {
	l := s.lanes[h]
	l.inFlight -= n
	if l.inFlight == 0 && l.failures == 0 {
		delete(s.lanes, h)
	}
}
