package idempotency

import (
	"context"
	"sync"
	"time"
)

// gate lets one request a key pass at a time, and of all no more than it has places. Postgres would do the first alone; but whoever waits
// here waits without a connection, and neither a client that repeats itself impatiently nor many with keys of their own can take the
// whole pool.
type gate struct {
	places chan struct{} // holds a token for each that is free

	mu     sync.Mutex
	inside map[key]*passage
}

type passage struct {
	turn    chan struct{} // holds one token while nobody is inside
	waiting int           // those inside included
}

func newGate(places int) *gate {
	g := &gate{places: make(chan struct{}, places), inside: map[key]*passage{}}
	for range places {
		g.places <- struct{}{}
	}
	return g
}

// enter waits for the key to be free, and then for a place, for as long as patience lasts. The caller calls leave when it is done.
func (g *gate) enter(ctx context.Context, k key, patience time.Duration) (leave func(), err error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	p := g.approach(k)
	select {
	case <-p.turn:
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout.C:
		err = errInUse()
	}
	if err != nil {
		g.forget(k, p)
		return nil, err
	}
	select {
	case <-g.places:
		return func() {
			g.places <- struct{}{}
			g.pass(k, p)
		}, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout.C:
		err = errCrowded()
	}
	g.pass(k, p)
	return nil, err
}

func (g *gate) approach(k key) *passage {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.inside[k]
	if p == nil {
		p = &passage{turn: make(chan struct{}, 1)}
		p.turn <- struct{}{}
		g.inside[k] = p
	}
	p.waiting++
	return p
}

// pass gives the turn to the next.
func (g *gate) pass(k key, p *passage) {
	p.turn <- struct{}{}
	g.forget(k, p)
}

func (g *gate) forget(k key, p *passage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.waiting--; p.waiting == 0 {
		delete(g.inside, k)
	}
}
