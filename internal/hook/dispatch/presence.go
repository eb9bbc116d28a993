package dispatch

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/hook/internal/store"
)

// lossLogInterval is the minimum time between two warnings about a lost presence.
const lossLogInterval = 10 * time.Second

// presence shows the other nodes that this one is alive, and ends the term when it no longer can. Its methods
// may be called concurrently.
//
// The node has a random number, and holds an advisory lock on it with a separate connection. When the node is killed,
// the connection ends, and the lock with it. The other nodes see that the number is missing. After takeOver they make
// the deliveries due that were claimed under it (Dispatcher.takeOver), long before the claims expire. A node that is
// alive but cannot reach Postgres must have stopped posting by then: after half of that time it ends its term, and
// with it the posts in flight.
type presence struct {
	pool     *pgxpool.Pool
	log      *slog.Logger
	takeOver time.Duration // Config.TakeOver

	mu      sync.Mutex
	current term
	end     context.CancelFunc // of current
	expiry  *time.Timer        // calls end, unless the term is confirmed
	begun   chan struct{}      // closed, and replaced, when a term begins
}

// term is a time in which the node is known to be alive under one number. What it claims in the term, it posts with
// ctx.
type term struct {
	node int32
	ctx  context.Context
}

func (t term) held() bool { return t.ctx != nil && t.ctx.Err() == nil }

func newPresence(pool *pgxpool.Pool, takeOver time.Duration, log *slog.Logger) *presence {
	return &presence{pool: pool, log: log, takeOver: takeOver, begun: make(chan struct{})}
}

// term returns the current term; ok is false when there is none, and nothing may be claimed.
func (p *presence) term() (term, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current, p.current.held()
}

// await returns when there is a term, after the timeout, or when ctx ends.
func (p *presence) await(ctx context.Context, timeout time.Duration) {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for {
		p.mu.Lock()
		begun := p.begun
		held := p.current.held()
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

// run holds the presence until ctx ends, in terms whose contexts derive from posting. It calls began when a term
// begins or is confirmed.
func (p *presence) run(ctx, posting context.Context, began func()) {
	var node int32
	var lost, logged time.Time
	for ctx.Err() == nil {
		if node == 0 || time.Since(lost) > p.takeOver/2 {
			p.resign()
			node = rand.Int32N(1<<31-1) + 1 // 0 is for nodes that died before this one started
			lost = time.Now()
		}
		err := p.hold(ctx, node, func(since time.Time) {
			p.take(node, posting, since.Add(p.takeOver/2))
			began()
		}, &lost)
		if err != nil && ctx.Err() == nil && time.Since(logged) > lossLogInterval {
			logged = time.Now()
			p.log.Warn("cannot hold the presence of this node; no hooks are sent until it can", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(p.takeOver / 12):
		}
	}
}

// take begins a term, or extends the current one of the same number. A timer ends the term at until, unless take
// extends it before.
func (p *presence) take(node int32, posting context.Context, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current.held() && p.current.node == node {
		p.expiry.Reset(time.Until(until))
		return
	}
	p.current.node = node
	p.current.ctx, p.end = context.WithCancel(posting)
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

// hold takes the lock on a number, and checks it repeatedly. After each check it calls held with the time at which the
// query was sent: the lock was held at that time or later. It returns when the lock is lost, or may be. It sets lost
// to the time at which the lock was last known to be held.
func (p *presence) hold(ctx context.Context, node int32, held func(since time.Time), lost *time.Time) error {
	timed := func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, p.takeOver/2) }
	config := p.pool.Config().ConnConfig.Copy()
	// If this machine vanishes without closing the connection, the server must notice it in seconds and not in
	// hours.
	maps.Copy(config.RuntimeParams, map[string]string{
		"tcp_keepalives_idle": "2", "tcp_keepalives_interval": "1", "tcp_keepalives_count": "3",
	})
	connecting, cancel := timed()
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
		now := time.Now()
		if now.Sub(*lost) > p.takeOver/2 { // the other nodes may count this number as dead; the next term has another
			return nil
		}
		checking, cancel := timed()
		ok, err := q.HoldPresence(checking, node) // a session can take a lock that it holds again
		cancel()
		if err != nil || !ok {
			return err
		}
		*lost = now
		held(now)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(p.takeOver / 12):
		}
	}
}
