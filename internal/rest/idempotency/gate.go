package idempotency

import (
	"context"
	"sync"
	"time"
)

// gate lets one request a key pass at a time. Postgres would do that alone; but whoever waits here waits without a connection, and a
// client that repeats itself impatiently cannot take the whole pool.
type gate struct {
	mu     sync.Mutex
	inside map[key]*passage
}

type passage struct {
	turn    chan struct{} // holds one token while nobody is inside
	waiting int           // those inside included
}

func newGate() *gate { return &gate{inside: map[key]*passage{}} }

// enter waits for the key to be free, for as long as patience lasts. The caller calls leave when it is done.
func (g *gate) enter(ctx context.Context, k key, patience time.Duration) (leave func(), err error) {
	g.mu.Lock()
	p := g.inside[k]
	if p == nil {
		p = &passage{turn: make(chan struct{}, 1)}
		p.turn <- struct{}{}
		g.inside[k] = p
	}
	p.waiting++
	g.mu.Unlock()

	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-p.turn:
		return func() {
			p.turn <- struct{}{}
			g.forget(k, p)
		}, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout.C:
		err = errInUse()
	}
	g.forget(k, p)
	return nil, err
}

func (g *gate) forget(k key, p *passage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.waiting--; p.waiting == 0 {
		delete(g.inside, k)
	}
}
