package dispatch

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/hook/internal/store"
)

// tellLoss is how often the log tells of a presence that cannot be held.
const tellLoss = 10 * time.Second

// presence tells the other nodes that this one is alive, and this one when it can no longer tell them.
//
// It holds an advisory lock of a number of its own, on a connection of its own: a node that is killed loses it with the connection, at once.
// The others see the number missing, wait for takeOver, and then make due again what was claimed under it (Dispatcher.takeOver), long before
// the claims would lapse. A node that is alive and cannot reach Postgres must have stopped posting by then: it gives up its term, and with it
// the posts in flight, after half of that time.
type presence struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	// takeOver is how long a node's number must have been missing before its claims are taken over.
	takeOver time.Duration

	mu     sync.Mutex
	now    term
	end    context.CancelFunc
	expiry *time.Timer   // calls end, unless the term is confirmed
	begun  chan struct{} // closed, and replaced, when a term begins
}

func newPresence(pool *pgxpool.Pool, takeOver time.Duration, log *slog.Logger) *presence {
	return &presence{pool: pool, log: log, takeOver: takeOver, begun: make(chan struct{})}
}

// term is a time in which the node is known to be alive under one number. What it claims in it, it posts with ctx.
type term struct {
	node int32
	ctx  context.Context
}

func (t term) held() bool { return t.ctx != nil && t.ctx.Err() == nil }

// term returns the present term; not ok when there is none, and nothing may be claimed.
func (p *presence) term() (term, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.now.held()
}

// await returns when there is a term, or after patience, or when ctx ends.
func (p *presence) await(ctx context.Context, patience time.Duration) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		p.mu.Lock()
		begun := p.begun
		held := p.now.held()
		p.mu.Unlock()
		if held {
			return
		}
		select {
		case <-begun:
		case <-deadline.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// run holds the presence until ctx ends, in terms of posting's; began is called with each.
func (p *presence) run(ctx, posting context.Context, began func()) {
	var node int32
	var lost, told time.Time
	for ctx.Err() == nil {
		if node == 0 || time.Since(lost) > p.takeOver/2 {
			p.resign()
			node = rand.Int32N(1<<31-1) + 1 // zero stands for those that died before this node began
			lost = time.Now()
		}
		err := p.hold(ctx, node, func(asked time.Time) {
			p.take(node, posting, asked.Add(p.takeOver/2))
			began()
		}, &lost)
		if err != nil && ctx.Err() == nil && time.Since(told) > tellLoss {
			told = time.Now()
			p.log.Warn("cannot tell the other nodes that this one is alive; it sends no hooks before it can", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(p.takeOver / 12):
		}
	}
}

// take begins a term, or goes on with the one of the same number. It ends by itself at a time, whatever holds up who would end it.
func (p *presence) take(node int32, posting context.Context, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.held() && p.now.node == node {
		p.expiry.Reset(time.Until(until))
		return
	}
	p.now.node = node
	p.now.ctx, p.end = context.WithCancel(posting)
	close(p.begun)
	p.begun = make(chan struct{})
	p.expiry = time.AfterFunc(time.Until(until), p.end)
}

// resign ends the term.
func (p *presence) resign() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end != nil {
		p.expiry.Stop()
		p.end()
	}
}

// hold takes the lock of a number, says so, and returns when it is lost, or may be; lost is when it was last known to be held. The lock was
// held for certain when it was asked for, and not when the answer came.
func (p *presence) hold(ctx context.Context, node int32, held func(asked time.Time), lost *time.Time) error {
	within := func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, p.takeOver/2) } // busy machines are slow
	config := p.pool.Config().ConnConfig.Copy()
	// Should this machine vanish without a word, the server notices in seconds and not in hours.
	for name, value := range map[string]string{"tcp_keepalives_idle": "2", "tcp_keepalives_interval": "1", "tcp_keepalives_count": "3"} {
		config.RuntimeParams[name] = value
	}
	connecting, cancel := within()
	conn, err := pgx.ConnectConfig(connecting, config)
	cancel()
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	q := store.New(conn)
	for {
		asked := time.Now()
		if asked.Sub(*lost) > p.takeOver/2 { // the others may think it dead: the next term has another number
			return nil
		}
		asking, cancel := within()
		ok, err := q.HoldPresence(asking, node) // once it is held, held once more: a ping
		cancel()
		if err != nil || !ok {
			return err
		}
		*lost = asked
		held(asked)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(p.takeOver / 12):
		}
	}
}
