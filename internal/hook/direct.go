package hook

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/hook/internal/store"
)

// How long a fan-out that sends directly waits before it commits.
const (
	directStall = 30 * time.Millisecond  // without any answer
	directMost  = 150 * time.Millisecond // in all
)

// directSlots is how many requests a fan-out has in flight for each processor, over all hooks: with more, they would wait for one another, and
// quick endpoints seem slow.
const directSlots = 40

// direct is what a fan-out sends before it commits, to hooks that answer quickly: what has arrived by then was never in the queue, but goes
// into the log with the consumer's position, and costs a row where it would have cost an insertion, a claim and a deletion. What has not been
// answered by then is inserted as claimed, and its answer is a result like any other; what failed is, too. Should the transaction be rolled
// back, all is sent again, with the same ids.
type direct struct {
	dispatcher *Dispatcher
	term       term
	claim      uuid.UUID
	expires    time.Time
	began      time.Time
	moved      chan struct{} // has a token after an answer
	settled    chan struct{} // closed when the transaction has ended
	cancel     func()        // cuts off what is being sent

	mu        sync.Mutex
	closed    bool                 // nothing is sent any more
	arrived   []arrival            // what has arrived
	flying    map[deliveryKey]bool // what is being sent, or has failed
	failures  []outcome            // of what has failed
	committed bool
}

// arrival is a delivery that has arrived, and its outcome.
type arrival struct {
	matched matched
	outcome outcome
}

func (a arrival) key() deliveryKey { return a.matched.key() }

// sendDirectly sends what it can of the deliveries, and returns when all is answered, or nothing is for a while; nil when it sends nothing.
func (d *Dispatcher) sendDirectly(ctx context.Context, q *store.Queries, deliveries []matched) (*direct, error) {
	term, ok := d.presence.term()
	if !ok || d.config.Quick < 0 {
		return nil, nil
	}
	lines, err := d.quickLines(ctx, q, deliveries)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	now := time.Now()
	var cancel context.CancelFunc
	term.ctx, cancel = context.WithCancel(term.ctx)
	s := &direct{dispatcher: d, term: term, cancel: cancel, claim: uuid.New(), began: now, expires: now.Add(d.config.lease()), moved: make(chan struct{}, 1),
		settled: make(chan struct{}), flying: make(map[deliveryKey]bool)}
	var workers sync.WaitGroup
	most := max(1, directSlots*runtime.GOMAXPROCS(0)/len(lines))
	for hook, waiting := range lines {
		free := d.slots.share(hook, int32(min(len(waiting), most)))
		next := make(chan []matched, len(waiting))
		for _, l := range waiting {
			next <- l
		}
		close(next)
		for range free {
			workers.Add(1)
			d.posts.Go(func() {
				defer workers.Done()
				s.sendLines(hook, next)
			})
		}
	}
	s.wait(ctx, &workers)
	return s, nil
}

// quickLines are the lines of hooks that answer quickly, in which nothing is pending.
func (d *Dispatcher) quickLines(ctx context.Context, q *store.Queries, deliveries []matched) (map[uuid.UUID][][]matched, error) {
	at := make(map[line]int)
	lines := make(map[uuid.UUID][][]matched)
	var asked store.BusyLinesParams
	quick := make(map[uuid.UUID]bool)
	for _, m := range deliveries {
		id := m.hook.ID
		if _, known := quick[id]; !known {
			quick[id] = m.hook.RateLimit == nil && m.hook.MaxInFlight == nil && d.slots.quick(id, d.config.Quick)
		}
		if !quick[id] {
			continue
		}
		l := line{id, m.change.ItemID}
		n, seen := at[l]
		if !seen {
			n = len(lines[id])
			at[l] = n
			lines[id] = append(lines[id], nil)
			asked.HookIds, asked.ItemIds = append(asked.HookIds, id), append(asked.ItemIds, m.change.ItemID)
		}
		lines[id][n] = append(lines[id][n], m)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	busy, err := q.BusyLines(ctx, asked)
	if err != nil {
		return nil, fmt.Errorf("look for lines: %w", err)
	}
	for _, row := range busy {
		lines[row.HookID][at[line{row.HookID, row.ItemID}]] = nil
	}
	return lines, nil
}

// sendLines sends lines to a hook, one after the other, in one of its slots.
func (s *direct) sendLines(hook uuid.UUID, next <-chan []matched) {
	defer func() {
		if more := s.dispatcher.slots.free(hook); more {
			signal(s.dispatcher.wake)
		}
	}()
	for l := range next {
		for _, m := range l {
			key := m.key()
			if !s.begin(key) {
				return
			}
			o := s.dispatcher.post(s.term.ctx, claimed{bornRow(m), s.claim, s.expires, m.change})
			s.dispatcher.slots.note(hook, o.verdict, o.Took)
			if !s.end(key, m, o) {
				break
			}
		}
	}
}

func (s *direct) begin(key deliveryKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.flying[key] = true
	return true
}

// end takes note of an outcome; ok says that the next of the line may be sent.
func (s *direct) end(key deliveryKey, m matched, o outcome) (ok bool) {
	s.mu.Lock()
	closed := s.closed
	switch {
	case closed:
	case o.verdict == succeeded:
		delete(s.flying, key)
		s.arrived = append(s.arrived, arrival{m, o})
	default:
		s.failures = append(s.failures, o)
	}
	s.mu.Unlock()
	signal(s.moved)
	if closed { // its row is in the queue by the time that the transaction has ended, if it is at all
		<-s.settled
		if s.committed {
			s.dispatcher.outcomes <- o
		}
	}
	return !closed && o.verdict == succeeded
}

// wait returns when all is answered, or nothing has been for a while; from then on nothing is sent.
func (s *direct) wait(ctx context.Context, workers *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	most, stall := time.NewTimer(directMost), time.NewTimer(directStall)
	defer most.Stop()
	defer stall.Stop()
	for waiting := true; waiting; {
		select {
		case <-s.moved:
			stall.Reset(directStall)
		case <-done:
			waiting = false
		case <-stall.C:
			waiting = false
		case <-most.C:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if time.Since(s.began) >= directStall {
		for key := range s.flying {
			s.dispatcher.slots.slow(key.hook)
		}
	}
}

// rest are the deliveries that have not arrived. Once nothing is sent any more.
func (s *direct) rest(deliveries []matched) []matched {
	if s == nil {
		return deliveries
	}
	arrived := make(map[deliveryKey]bool, len(s.arrived))
	for _, a := range s.arrived {
		arrived[a.key()] = true
	}
	rest := make([]matched, 0, len(deliveries)-len(arrived))
	for _, m := range deliveries {
		if !arrived[m.key()] {
			rest = append(rest, m)
		}
	}
	return rest
}

// isFlying reports whether a delivery is being sent, or has failed, and so is claimed.
func (s *direct) isFlying(key deliveryKey) bool { return s != nil && s.flying[key] }

// log writes what has arrived into the log of attempts.
func (s *direct) log(ctx context.Context, q *store.Queries) error {
	if s == nil {
		return nil
	}
	all := make([]counted, len(s.arrived))
	for n, a := range s.arrived {
		s.dispatcher.attempts.count(a.outcome.verdict)
		c, key := a.matched.change, a.key()
		all[n] = counted{a.outcome, store.SettleDeliveriesRow{HookID: key.hook, Position: key.position, ID: deliveryID(key.hook, c),
			AccountID: c.AccountID, ItemID: c.ItemID, ChangeID: c.ID, Revision: c.Revision, Kind: string(c.Kind), CreatedAt: s.began, Number: 1}}
	}
	return logAttempts(ctx, q, all)
}

// settle tells those that wait for it how the transaction has ended.
func (s *direct) settle(committed bool) {
	if s == nil {
		return
	}
	s.committed = committed
	close(s.settled)
	if !committed { // all of it is sent again, and must not come after that
		s.cancel()
		return
	}
	if len(s.failures) == 0 {
		return
	}
	s.dispatcher.posts.Go(func() {
		for _, o := range s.failures {
			s.dispatcher.outcomes <- o
		}
	})
}
