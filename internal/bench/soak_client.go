package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// soaker is one subscriber of a soak. It counts what it misses and what it gets twice.
type soaker struct {
	*node
	n       int
	size    soakSize
	visitor bool

	cursor string
	seen   map[uuid.UUID]int64 // the last revision of each item
	end    atomic.Pointer[map[uuid.UUID]int64]
	late   atomic.Bool // the time to reach the end is over

	received, connections, stalls int
	missed, repeated              int
}

func newResident(b *build, n int, size soakSize, start soakStart) *soaker {
	return &soaker{node: b.node, n: n, size: size, cursor: start.cursor, seen: maps.Clone(start.revisions)}
}

// finish passes the last revision of each item: the soaker ends when it has seen them all.
func (s *soaker) finish(end map[uuid.UUID]int64) { s.end.Store(&end) }

// soakChange is a change as it arrives over any transport.
type soakChange struct {
	item     uuid.UUID
	revision int64
	cursor   string
}

// follow reads until it has seen the last change, over as many connections as it takes.
func (s *soaker) follow(ctx context.Context) error {
	for !s.done() {
		err := s.connect(ctx, rand.N(s.size.maxConnection))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case s.late.Load():
			return errors.Join(fmt.Errorf("subscriber %d did not reach the end in %s", s.n, settleTimeout), err)
		case err != nil:
			_ = sleep(ctx, rand.N(500*time.Millisecond))
		}
	}
	return nil
}

// visit connects again and again, without a cursor, until visits end.
func (s *soaker) visit(ctx, visits context.Context) error {
	for visits.Err() == nil && ctx.Err() == nil {
		s.seen, s.cursor = map[uuid.UUID]int64{}, ""
		_ = s.connect(visits, rand.N(s.size.maxVisit))
	}
	return nil
}

// connect reads from one connection for a time, in which it may stall, and closes it abruptly. After finish it reads to
// the end.
func (s *soaker) connect(ctx context.Context, lasting time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read, end, err := s.transport()(ctx, s)
	if err != nil {
		return err
	}
	defer end()
	s.connections++
	until := time.Now().Add(lasting)
	var stallAt time.Time
	if rand.N(4) == 0 {
		stallAt = time.Now().Add(rand.N(lasting + 1))
	}
	for !s.done() && (time.Now().Before(until) || s.end.Load() != nil) {
		if !stallAt.IsZero() && time.Now().After(stallAt) && s.end.Load() == nil {
			s.stalls++
			stallAt = time.Time{}
			if err := sleep(ctx, rand.N(s.size.maxStall)); err != nil {
				return err
			}
		}
		one, err := read()
		if err != nil {
			return err
		}
		if one != nil {
			s.take(*one)
		}
	}
	return nil
}

func (s *soaker) take(c soakChange) {
	last, known := s.seen[c.item]
	switch {
	case !known:
	case c.revision <= last:
		s.repeated++
	case c.revision > last+1:
		s.missed += int(c.revision - last - 1)
	}
	s.seen[c.item], s.cursor = c.revision, c.cursor
	s.received++
}

// done reports whether the soaker has seen the last revision of each item.
func (s *soaker) done() bool {
	end := s.end.Load()
	if end == nil {
		return false
	}
	for id, n := range *end {
		if s.seen[id] < n {
			return false
		}
	}
	return true
}

const soakFields = `revision item { id } cursor document`

// query is the same for all residents, and one of five for a visitor.
func (s *soaker) query() string {
	fields := soakFields
	if s.visitor {
		fields = strings.Replace(fields, "document", fmt.Sprintf("d%d: document", rand.N(5)), 1)
	}
	return `subscription ($after: Cursor) { itemChanges(after: $after) { ` + fields + ` } }`
}

// after is the subscription's argument; null without a cursor.
func (s *soaker) after() any {
	if s.cursor == "" {
		return nil
	}
	return s.cursor
}
