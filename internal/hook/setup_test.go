package hook_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/dispatch"
	"itemcast/internal/hook/hooktest"
)

type bundle struct{ *hooktest.Bundle }

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return &bundle{hooktest.New(t)}
}

// value reads the one value that a query returns.
func value[T any](b *bundle, query string, args ...any) T {
	b.T.Helper()
	return hooktest.Value[T](b.Bundle, query, args...)
}

// node is a running dispatcher, with what it runs on.
type node struct {
	feed      *change.Feed
	sequencer *change.Sequencer
	wake      func(hooks ...uuid.UUID)
}

// node starts a dispatcher, which runs until the test ends.
func (b *bundle) node(config dispatch.Config) *node {
	b.T.Helper()
	pool, err := db.OpenQueue(b.T.Context(), b.Pool, db.QueueOptions{MaxConns: 8, AsyncCommit: true})
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(pool.Close)
	feed, err := change.OpenFeed(b.Ctx, pool, b.Log())
	if err != nil {
		b.T.Fatal(err)
	}
	config.Pool, config.Feed, config.Sender, config.Log = pool, feed, hooktest.NewSender(hooktest.Loopback), b.Log()
	config.Sweep, config.TakeOver = 20*time.Millisecond, hooktest.Timeout
	dispatcher := dispatch.New(config)
	n := &node{feed: feed, sequencer: change.NewSequencer(pool, b.Log()), wake: dispatcher.Wake}
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Ctx))
	var running sync.WaitGroup
	for _, part := range []func(context.Context) error{n.sequencer.Run, feed.Run, dispatcher.Run} {
		running.Go(func() { _ = part(ctx) })
	}
	b.T.Cleanup(func() { cancel(); running.Wait() })
	return n
}

// serveOn makes the service use a node's feed, and wake the node, as in one process.
func (b *bundle) serveOn(n *node) {
	b.Use(func(c *hook.Config) { c.Feed, c.Wake = n.feed, n.wake })
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
