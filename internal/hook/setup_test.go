package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// patience bounds every wait of the tests; they all wait for something that happens much sooner.
const patience = 30 * time.Second

var loopback = egress.Policy{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}

// bundle is a database with one account, and a context in which somebody manages its hooks.
type bundle struct {
	t       testing.TB
	ctx     context.Context
	url     string
	pool    *pgxpool.Pool
	account uuid.UUID
	service *Service
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return newBundle(t)
}

func newBundle(t testing.TB) *bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	t.Cleanup(cancel)
	b := &bundle{t: t, url: dbtest.URL(t) + "&pool_max_conns=6"}
	b.pool = b.open()
	b.service = b.newService(loopback)
	b.account = b.newAccount()
	b.ctx = acting(ctx, b.account)
	return b
}

// newService is a service on a feed that is read when it is asked, and not followed.
func (b *bundle) newService(reach egress.Policy) *Service {
	b.t.Helper()
	feed, err := change.OpenFeed(b.t.Context(), b.pool, slog.New(slog.NewTextHandler(b.t.Output(), nil)))
	if err != nil {
		b.t.Fatal(err)
	}
	return NewService(ServiceConfig{Pool: b.pool, Feed: feed, Reach: reach, Sender: sending.New(reach.Transport(egress.Options{}), sending.Config{Version: "1.2.3"}),
		Items: sampling{b.items(feed), func(_ context.Context, id *uuid.UUID) (item.Document, error) {
			if id == nil {
				id = new(uuid.New())
			}
			return item.Document{Bytes: documentOf(*id, 7), Revision: 7}, nil
		}}})
}

// sampling is an item service with samples of its own.
type sampling struct {
	*item.Service
	sample func(ctx context.Context, id *uuid.UUID) (item.Document, error)
}

func (s sampling) Sample(ctx context.Context, id *uuid.UUID) (item.Document, error) {
	return s.sample(ctx, id)
}

// items is an item service that takes every input.
func (b *bundle) items(feed *change.Feed) *item.Service {
	b.t.Helper()
	log := slog.New(slog.NewTextHandler(b.t.Output(), nil))
	check := func([]byte) *problem.Error { return nil }
	return item.NewService(item.Config{Pool: b.pool, Feed: feed, Sequencer: change.NewSequencer(b.pool, log), Check: check, CheckPatch: check,
		PublicURL: "https://items.example", Log: log})
}

func acting(ctx context.Context, accountID uuid.UUID) context.Context {
	return account.WithActor(ctx, account.Actor{
		AccountID: accountID, UserID: uuid.New(), Permissions: account.Permissions{account.APIAccess, account.HooksManage},
	})
}

func (b *bundle) open() *pgxpool.Pool {
	b.t.Helper()
	pool, err := db.Open(b.t.Context(), b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(pool.Close)
	return pool
}

func (b *bundle) newAccount() uuid.UUID {
	b.t.Helper()
	id := uuid.New()
	if _, err := b.pool.Exec(b.t.Context(), "INSERT INTO account (id, name) VALUES ($1, 'test')", id); err != nil {
		b.t.Fatal(err)
	}
	return id
}

// hook makes a hook that gets everything, unless events say otherwise.
func (b *bundle) hook(url string, events ...string) (Hook, string) {
	b.t.Helper()
	if len(events) == 0 {
		events = []string{ItemCreated, ItemUpdated, ItemDeleted, ItemTriggered}
	}
	return b.hookOf(map[string]any{"url": url, "events": events})
}

// hookOf makes a hook of settings.
func (b *bundle) hookOf(settings map[string]any) (Hook, string) {
	b.t.Helper()
	raw, err := json.Marshal(settings)
	if err != nil {
		b.t.Fatal(err)
	}
	h, secret, err := b.service.Create(b.ctx, raw)
	if err != nil {
		b.t.Fatal(err)
	}
	return h, secret
}

// patch changes a hook.
func (b *bundle) patch(h Hook, patch string) Hook {
	b.t.Helper()
	patched, err := b.service.Patch(b.ctx, h.ID, [][]byte{[]byte(patch)})
	if err != nil {
		b.t.Fatal(err)
	}
	return patched
}

// node is what one process runs.
type node struct {
	*Dispatcher
	sequencer *change.Sequencer
	stop      func() // ends it gracefully, and waits for that
}

// idleNode is a node of which nothing runs. It may reach loopback.
func (b *bundle) idleNode(config Config) *node {
	b.t.Helper()
	return b.idleNodeThat(config, loopback)
}

func (b *bundle) idleNodeThat(config Config, reach egress.Policy) *node {
	b.t.Helper()
	pool, err := db.OpenQueue(b.t.Context(), b.pool, db.QueueOptions{MaxConns: 8, AsyncCommit: true})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(pool.Close)
	return b.idleNodeOn(pool, config, reach)
}

func (b *bundle) idleNodeOn(pool *pgxpool.Pool, config Config, reach egress.Policy) *node {
	b.t.Helper()
	log := slog.New(slog.NewTextHandler(b.t.Output(), nil))
	feed, err := change.OpenFeed(b.ctx, pool, log)
	if err != nil {
		b.t.Fatal(err)
	}
	if config.Sweep == 0 {
		config.Sweep = 20 * time.Millisecond
	}
	sender := sending.New(reach.Transport(egress.Options{}), sending.Config{Version: "1.2.3"})
	return &node{Dispatcher: NewDispatcher(pool, feed, sender, config, log), sequencer: change.NewSequencer(pool, log)}
}

// node starts a node, which runs until the test ends or stop is called.
func (b *bundle) node(config Config) *node {
	b.t.Helper()
	n := b.idleNode(config)
	b.run(n)
	return n
}

// run starts a node that is idle.
func (b *bundle) run(n *node) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.ctx))
	var running sync.WaitGroup
	running.Go(func() { _ = n.sequencer.Run(ctx) })
	running.Go(func() { _ = n.feed.Run(ctx) })
	running.Go(func() { _ = n.Run(ctx) })
	n.stop = func() { cancel(); running.Wait() }
	b.t.Cleanup(n.stop)
}

// fanOutAll makes deliveries of all that is committed, on a node of which nothing runs.
func (b *bundle) fanOutAll(n *node) {
	b.t.Helper()
	if err := n.sequencer.Drain(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	feed, err := change.OpenFeed(b.ctx, n.pool, n.log)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	var consumer sync.WaitGroup
	consumer.Go(func() { _ = feed.Consume(ctx, "hook", n.fanOut) })
	b.eventually("fan out all", func() bool {
		return value[bool](b, "SELECT coalesce(max(position), 0) >= $1 FROM consumer_position WHERE consumer = 'hook'", int64(feed.Head()))
	})
	cancel()
	consumer.Wait()
	n.feed = feed
}

// write makes changes to an item, each in a transaction of its own: what the item service does, less the rest.
func (b *bundle) write(n *node, item uuid.UUID, kinds ...change.Kind) {
	b.t.Helper()
	for _, kind := range kinds {
		b.record(n, change.Change{ItemID: item, Kind: kind, Trigger: change.TriggerWrite})
	}
}

func (b *bundle) record(n *node, c change.Change) {
	b.t.Helper()
	tx := b.begin(c)
	if err := tx.Commit(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	n.sequencer.Wake()
}

// begin is a transaction that has recorded a change and is still open.
func (b *bundle) begin(c change.Change) pgx.Tx {
	b.t.Helper()
	tx, err := b.pool.Begin(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	c.AccountID = b.account
	if c.OccurredAt.IsZero() {
		c.OccurredAt = time.Now()
	}
	err = tx.QueryRow(b.ctx, `INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata, client_data,
			created_at, updated_at, revision, document, document_version)
		VALUES ($1, $2, 'test', '', 'video', 'private', '{}', '{}', '{}', now(), now(), 1, '{}', 1)
		ON CONFLICT (id) DO UPDATE SET revision = item.revision + $3 RETURNING revision`, c.ItemID, c.AccountID, step(c.Kind)).Scan(&c.Revision)
	if err != nil {
		b.t.Fatal(err)
	}
	if c.Document == nil {
		c.Document = documentOf(c.ItemID, c.Revision)
	}
	if err := change.Record(b.ctx, tx, c); err != nil {
		b.t.Fatal(err)
	}
	return tx
}

func step(kind change.Kind) int {
	if kind == change.Triggered {
		return 0
	}
	return 1
}

// documentOf has what no encoder would make again: the order, the spaces and the escapes are the document's own.
func documentOf(item uuid.UUID, revision int64) []byte {
	return fmt.Appendf(nil, "{\"revision\" : %d, \"id\":\"%s\", \"name\": \"\\u00e9 \u00e9 <&>\"}", revision, item)
}

func (b *bundle) exec(statement string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.ctx, statement, args...); err != nil {
		b.t.Fatalf("%s: %v", statement, err)
	}
}

func value[T any](b *bundle, query string, args ...any) (v T) {
	b.t.Helper()
	if err := b.pool.QueryRow(b.ctx, query, args...).Scan(&v); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// eventually polls for what only the database shows.
func (b *bundle) eventually(what string, holds func() bool) {
	b.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			b.t.Fatalf("did not come: %s", what)
		case <-tick.C:
		}
	}
}

// The states of deliveries, as states counts them.
const (
	statePending   = string(Pending)
	stateSucceeded = string(Succeeded)
	stateFailed    = string(Failed)
)

// states counts the deliveries of a hook by state.
func (b *bundle) states(h Hook) map[string]int {
	b.t.Helper()
	rows, err := b.pool.Query(b.ctx, `SELECT state, count(*) FROM (
		SELECT 'pending' AS state FROM delivery WHERE hook_id = $1
		UNION ALL SELECT outcome FROM delivery_attempt WHERE hook_id = $1 AND closes) d GROUP BY state`, h.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	states := map[string]int{}
	var state string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { states[state] = n; return nil }); err != nil {
		b.t.Fatal(err)
	}
	return states
}

// retries is a schedule of many short waits.
func retries(n int, wait time.Duration) []time.Duration {
	waits := make([]time.Duration, n)
	for i := range waits {
		waits[i] = wait
	}
	return waits
}

// serveOn has the service work on a node's feed, and tell the node what is due, as one process has it.
func (b *bundle) serveOn(n *node) {
	b.service.feed, b.service.due = n.feed, n.Look
}

// term is a time in which a node that does not run may claim.
func (n *node) term(ctx context.Context) term { return term{node: 1 << 30, ctx: ctx} }
