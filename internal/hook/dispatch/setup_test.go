package dispatch

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/hooktest"
)

// bundle is the bundle of all tests of hooks, and nodes that send.
type bundle struct{ *hooktest.Bundle }

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return newBundle(t)
}

func newBundle(t testing.TB) *bundle {
	t.Helper()
	return &bundle{hooktest.New(t)}
}

// value reads the one value that a query returns.
func value[T any](b *bundle, query string, args ...any) T {
	b.T.Helper()
	return hooktest.Value[T](b.Bundle, query, args...)
}

// node is what one process runs.
type node struct {
	*Dispatcher
	sequencer *change.Sequencer
	cancel    func() // begins a graceful stop
	stop      func() // stops gracefully, and waits for the end
}

// term is a term in which a node that does not run may claim.
func (n *node) term(ctx context.Context) term { return term{node: 1 << 30, ctx: ctx} }

// idleNode is a node that does not run. It may reach loopback.
func (b *bundle) idleNode(config Config) *node {
	b.T.Helper()
	return b.idleNodeThat(config, hooktest.Loopback)
}

func (b *bundle) idleNodeThat(config Config, reach egress.Policy) *node {
	b.T.Helper()
	pool, err := db.OpenQueue(b.T.Context(), b.Pool, db.QueueOptions{MaxConns: 8, AsyncCommit: true})
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(pool.Close)
	return b.idleNodeOn(pool, config, reach)
}

func (b *bundle) idleNodeOn(pool *pgxpool.Pool, config Config, reach egress.Policy) *node {
	b.T.Helper()
	feed, err := change.OpenFeed(b.Ctx, pool, b.Log())
	if err != nil {
		b.T.Fatal(err)
	}
	if config.Sweep == 0 {
		config.Sweep = 20 * time.Millisecond
	}
	if config.TakeOver == 0 {
		config.TakeOver = hooktest.Timeout // on a busy machine a node may not be able to show for seconds that it is alive
	}
	config.Pool, config.Feed, config.Sender, config.Log = pool, feed, hooktest.NewSender(reach), b.Log()
	return &node{Dispatcher: New(config), sequencer: change.NewSequencer(pool, b.Log())}
}

// node starts a node, which runs until the test ends or stop is called.
func (b *bundle) node(config Config) *node {
	b.T.Helper()
	n := b.idleNode(config)
	b.run(n)
	return n
}

// run starts a node that is idle.
func (b *bundle) run(n *node) {
	b.T.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Ctx))
	var running sync.WaitGroup
	running.Go(func() { _ = n.sequencer.Run(ctx) })
	running.Go(func() { _ = n.feed.Run(ctx) })
	running.Go(func() { _ = n.Run(ctx) })
	n.cancel, n.stop = cancel, func() { cancel(); running.Wait() }
	b.T.Cleanup(n.stop)
}

// serveOn makes the service use a node's feed, and wake the node, as in one process.
func (b *bundle) serveOn(n *node) {
	b.Use(func(c *hook.Config) { c.Feed, c.Wake = n.feed, n.Wake })
}

// fanOutAll makes deliveries of everything that is committed, on an idle node.
func (b *bundle) fanOutAll(n *node) {
	b.T.Helper()
	if err := n.sequencer.Drain(b.Ctx); err != nil {
		b.T.Fatal(err)
	}
	feed, err := change.OpenFeed(b.Ctx, n.pool, n.log)
	if err != nil {
		b.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Ctx, hooktest.Timeout)
	defer cancel()
	var consumer sync.WaitGroup
	consumer.Go(func() { _ = feed.Consume(ctx, "hook", n.fanOut) })
	b.Eventually("everything is fanned out", func() bool {
		return value[bool](b, "SELECT coalesce(max(position), 0) >= $1 FROM consumer_position WHERE consumer = 'hook'", int64(feed.Head()))
	})
	cancel()
	consumer.Wait()
	n.feed = feed
}

func (b *bundle) write(n *node, item uuid.UUID, kinds ...change.Kind) {
	b.T.Helper()
	b.Write(n.sequencer, item, kinds...)
}

func (b *bundle) record(n *node, c change.Change) {
	b.T.Helper()
	b.Record(n.sequencer, c)
}

// retries is a schedule of n equal waits.
func retries(n int, wait time.Duration) []time.Duration {
	return slices.Repeat([]time.Duration{wait}, n)
}
