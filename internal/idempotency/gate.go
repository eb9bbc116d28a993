package idempotency

import (
	"context"
	"sync"
	"time"
)

// gate admits one request with a key at a time, and limits how many run at a time in all. Postgres would also serialize
// the requests with one key, but each would hold a connection while it waits. At the gate they wait without one, so
// neither a client that repeats a request quickly nor many clients with different keys can exhaust the pool.
type gate struct {
	slots chan struct{} // a token for each free slot

	mu    sync.Mutex
	turns map[key]*turn // of keys with a request that waits or runs
}

// turn is what the requests with one key take one after the other.
type turn struct {
	free     chan struct{} // a token while no request has the turn
	requests int           // with this key, both waiting and running; guarded by gate.mu
}

func newGate(slots int) *gate {
	g := &gate{slots: make(chan struct{}, slots), turns: map[key]*turn{}}
	for range slots {
		g.slots <- struct{}{}
	}
	return g
}

// enter waits for the key's turn and then for a slot, for at most timeout. The caller must call leave when its request
// is done. Errors: IDEMPOTENCY_KEY_IN_USE, UNAVAILABLE, and ctx's.
func (g *gate) enter(ctx context.Context, k key, timeout time.Duration) (leave func(), err error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	t := g.join(k)
	select {
	case <-t.free:
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = errInUse()
	}
	if err != nil {
		g.quit(k, t)
		return nil, err
	}
	select {
	case <-g.slots:
		return func() {
			g.slots <- struct{}{}
			g.release(k, t)
		}, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = errTooMany()
	}
	g.release(k, t)
	return nil, err
}

// join adds a request to those with its key.
func (g *gate) join(k key) *turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.turns[k]
	if t == nil {
		t = &turn{free: make(chan struct{}, 1)}
		t.free <- struct{}{}
		g.turns[k] = t
	}
	t.requests++
	return t
}

// release ends a request that has the turn.
func (g *gate) release(k key, t *turn) {
	t.free <- struct{}{}
	g.quit(k, t)
}

// quit removes a request from those with its key.
func (g *gate) quit(k key, t *turn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.requests--; t.requests == 0 {
		delete(g.turns, k)
	}
}
