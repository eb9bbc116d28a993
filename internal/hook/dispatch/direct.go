package dispatch

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/hook/internal/store"
	"itemcast/internal/wake"
)

// Limits of the time that direct sending may delay the commit of a fan-out.
const (
	defaultDirectStall = 30 * time.Millisecond  // since the last answer
	defaultDirectLimit = 150 * time.Millisecond // in total
)

// directSlots is the number of requests that a fan-out has in flight for each processor, over all hooks. With more,
// requests wait for one another, and quick endpoints seem slow.
const directSlots = 40

// direct is one round of direct sending: a fan-out sends deliveries to quick hooks before it commits. A delivery that
// succeeds in time never enters the queue. The transaction that advances the consumer's position logs it: one row,
// where the queue needs an insertion, a claim and a deletion. A delivery that is unanswered or has failed is inserted
// as claimed, and its answer is a result like any other. If the transaction is rolled back, everything is sent again,
// under the same ids.
//
//	fan-out (one goroutine)               workers (one for each slot)             writer of results
//	───────────────────────               ───────────────────────────             ─────────────────
//	sendDirectly ───────────────────────▶ for each group, for each delivery in it:
//	await: all are answered, 30 ms          begin   mu: refused once closed
//	  without an answer, or 150 ms ◀─────── post, then a token into answered
//	close   mu: take what has come          end     mu: unless closed, into arrived or failures
//	insert the rest, log what arrived                 if closed: wait for settled ──────▶ outcomes, if committed
//	COMMIT, or ROLLBACK
//	settle: close(settled); failures ───────────────────────────────────────────────────▶ outcomes, if committed
//	  after a rollback: cancel the posts
//
// mu guards closed and sent. No goroutine holds it while it waits, or together with another lock. settle writes
// committed before it closes settled, and the workers read it after.
type direct struct {
	dispatcher *Dispatcher
	term       term
	claim      uuid.UUID
	expires    time.Time
	began      time.Time
	cancel     func()        // ends the posts
	answered   wake.Signal   // holds a token after an answer
	settled    chan struct{} // closed when the transaction has ended
	committed  bool

	mu     sync.Mutex
	closed bool // nothing more is sent, and sent has been taken
	sent   directSent
}

// sendDirectly sends the deliveries to quick hooks in whose groups nothing is pending. It returns when all are
// answered, or when the limits above are reached.
func (d *Dispatcher) sendDirectly(ctx context.Context, q *store.Queries, deliveries []matched) (directSent, error) {
	term, ok := d.presence.term()
	if !ok || d.config.Quick < 0 {
		return directSent{}, nil
	}
	groups, err := d.quickGroups(ctx, q, deliveries)
	if err != nil || len(groups) == 0 {
		return directSent{}, err
	}
	now := time.Now()
	r := &direct{
		dispatcher: d, claim: uuid.New(), began: now, expires: now.Add(d.config.lease()),
		answered: wake.New(), settled: make(chan struct{}),
	}
	r.term.node = term.node
	r.term.ctx, r.cancel = context.WithCancel(term.ctx)
	r.sent = directSent{round: r, inFlight: make(map[deliveryKey]bool)}
	var workers sync.WaitGroup
	slotsPerHook := max(1, directSlots*runtime.GOMAXPROCS(0)/len(groups))
	for hook, waiting := range groups {
		next := make(chan []matched, len(waiting))
		for _, g := range waiting {
			next <- g
		}
		close(next)
		for range d.slots.share(hook, min(len(waiting), slotsPerHook)) {
			workers.Add(1)
			d.posts.Go(func() {
				defer workers.Done()
				r.sendGroups(hook, next)
			})
		}
	}
	r.await(ctx, &workers)
	return r.close(), nil
}

// quickGroups returns, by hook, the groups of quick hooks in which nothing is pending. Tasks of workflows always go
// through the queue: what is done at their end must not delay the log.
func (d *Dispatcher) quickGroups(
	ctx context.Context, q *store.Queries, deliveries []matched,
) (map[uuid.UUID][][]matched, error) {
	at := make(map[group]int)
	groups := make(map[uuid.UUID][][]matched)
	var candidates store.BusyGroupsParams
	quick := make(map[uuid.UUID]bool)
	for _, m := range deliveries {
		if m.change.Task != nil {
			continue
		}
		id := m.hook.ID
		if _, known := quick[id]; !known {
			quick[id] = m.hook.RateLimit == nil && m.hook.MaxInFlight == nil && d.slots.quick(id, d.config.Quick)
		}
		if !quick[id] {
			continue
		}
		n, seen := at[m.group()]
		if !seen {
			n = len(groups[id])
			at[m.group()] = n
			groups[id] = append(groups[id], nil)
			candidates.HookIds = append(candidates.HookIds, id)
			candidates.ItemIds = append(candidates.ItemIds, m.change.ItemID)
		}
		groups[id][n] = append(groups[id][n], m)
	}
	if len(groups) == 0 {
		return nil, nil
	}
	busy, err := q.BusyGroups(ctx, candidates)
	if err != nil {
		return nil, fmt.Errorf("find busy groups: %w", err)
	}
	for _, row := range busy {
		groups[row.HookID][at[group{row.HookID, row.ItemID}]] = nil
	}
	return groups, nil
}

// sendGroups sends groups to a hook one after another, in one of the hook's slots.
func (r *direct) sendGroups(hook uuid.UUID, next <-chan []matched) {
	defer func() {
		if due := r.dispatcher.slots.release(hook); due {
			r.dispatcher.woken.Send()
		}
	}()
	for g := range next {
		for _, m := range g {
			if !r.begin(m.key()) {
				return
			}
			o := r.dispatcher.post(r.term.ctx, claimed{m.row(), r.claim, r.expires, m.change})
			r.dispatcher.slots.record(hook, o.verdict, o.Took)
			if !r.end(m, o) {
				break
			}
		}
	}
}

// begin reports whether a delivery may be sent, and notes that it is in flight.
func (r *direct) begin(key deliveryKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.sent.inFlight[key] = true
	return true
}

// end records an outcome, and reports whether the next of the group may be sent. After close it first waits for the
// transaction to end: only then is the delivery's row in the queue.
func (r *direct) end(m matched, o outcome) bool {
	r.mu.Lock()
	closed := r.closed
	switch {
	case closed:
	case o.verdict == succeeded:
		delete(r.sent.inFlight, m.key())
		r.sent.arrived = append(r.sent.arrived, arrival{m, o})
	default:
		r.sent.failures = append(r.sent.failures, o)
	}
	r.mu.Unlock()
	r.answered.Send()
	if closed {
		<-r.settled
		if r.committed {
			r.dispatcher.outcomes <- o
		}
	}
	return !closed && o.verdict == succeeded
}

// await returns when the workers are done, when no answer has come for directStall, after directLimit, or when ctx
// ends.
func (r *direct) await(ctx context.Context, workers *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		workers.Wait()
		r.cancel() // releases the context, which the term's would otherwise hold until the term ends
		close(done)
	}()
	limit, stall := time.NewTimer(r.dispatcher.directLimit), time.NewTimer(r.dispatcher.directStall)
	defer limit.Stop()
	defer stall.Stop()
	for {
		select {
		case <-r.answered:
			stall.Reset(r.dispatcher.directStall)
		case <-done:
			return
		case <-stall.C:
			return
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// close ends the round: nothing more is sent. Hooks that have delayed the round are no longer quick.
func (r *direct) close() directSent {
	r.mu.Lock()
	r.closed = true
	s := r.sent
	r.sent = directSent{}
	r.mu.Unlock()
	if time.Since(r.began) >= r.dispatcher.directStall {
		for key := range s.inFlight {
			r.dispatcher.slots.markSlow(key.hook)
		}
	}
	return s
}
