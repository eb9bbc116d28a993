package change

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/sql"
)

const (
	// timeout limits each wait of the tests. What they wait for happens much sooner, even on a busy machine.
	timeout = time.Minute

	// testTimeout ends a test that hangs. No test that works takes as long.
	testTimeout = 10 * time.Minute
)

// bundle is a database with one account, and the nodes that a test starts on it.
type bundle struct {
	t       *testing.T
	ctx     context.Context // ends with the test, or after testTimeout
	url     string
	pool    *pgxpool.Pool // the test's own
	account uuid.UUID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return newBundle(t, dbtest.URL(t))
}

// setupCluster gives the test a Postgres of its own, where no other transactions advance the xids.
func setupCluster(t *testing.T, settings map[string]string) *bundle {
	t.Helper()
	t.Parallel()
	url := dbtest.Cluster(t, settings).URL()
	pool := open(t, url)
	if err := db.Migrate(t.Context(), pool, sql.Migrations, db.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	return newBundle(t, url)
}

func newBundle(t *testing.T, url string) *bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	b := &bundle{t: t, ctx: ctx, url: url, pool: open(t, url), account: uuid.New()}
	t.Cleanup(cancel)
	b.exec("INSERT INTO account (id, name) VALUES ($1, 'test')", b.account)
	return b
}

func open(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// urlWith returns the database's URL with a parameter set.
func (b *bundle) urlWith(parameter, value string) string {
	b.t.Helper()
	u, err := url.Parse(b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	query := u.Query()
	query.Set(parameter, value)
	u.RawQuery = query.Encode()
	return u.String()
}

func (b *bundle) exec(statement string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.ctx, statement, args...); err != nil {
		b.t.Fatal(err)
	}
}

func value[T any](b *bundle, query string, args ...any) (v T) {
	b.t.Helper()
	if err := b.pool.QueryRow(b.ctx, query, args...).Scan(&v); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// node is a sequencer and a feed on a pool of their own, as in one process.
type node struct {
	*bundle
	pool      *pgxpool.Pool
	sequencer *Sequencer
	feed      *Feed
	stop      func()
}

// idleNode returns a node whose sequencer and feed do not run: the test steps them.
func (b *bundle) idleNode() *node {
	b.t.Helper()
	log := slog.New(slog.NewTextHandler(b.t.Output(), nil))
	n := &node{bundle: b, pool: open(b.t, b.url)}
	n.sequencer = NewSequencer(n.pool, log)
	var err error
	if n.feed, err = OpenFeed(b.ctx, n.pool, log); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// node starts a node that runs until the test ends or stop is called.
func (b *bundle) node() *node {
	b.t.Helper()
	n := b.idleNode()
	ctx, cancel := context.WithCancel(b.t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = n.sequencer.Run(ctx) })
	running.Go(func() { _ = n.feed.Run(ctx) })
	n.stop = func() { cancel(); running.Wait() }
	b.t.Cleanup(n.stop)
	return n
}

// put does what a writer's transaction does: it inserts the item or increments its revision, which locks the item's
// row, and records the change.
func put(ctx context.Context, tx pgx.Tx, account, item uuid.UUID) (revision int64, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata,
			client_data, created_at, updated_at, revision, document, document_version)
		VALUES ($1, $2, 'test', '', 'video', 'private', '{}', '{}', '{}', now(), now(), 1, '{}', 1)
		ON CONFLICT (id) DO UPDATE SET revision = item.revision + 1 RETURNING revision`, item, account).Scan(&revision)
	if err != nil {
		return 0, err
	}
	kind := Updated
	if revision == 1 {
		kind = Created
	}
	return revision, Record(ctx, tx, Change{
		AccountID: account, ItemID: item, Revision: revision, Kind: kind, Trigger: TriggerWrite,
		Document: documentOf(item, revision), OccurredAt: time.Now(),
	})
}

func documentOf(item uuid.UUID, revision int64) []byte {
	return fmt.Appendf(nil, `{"id":%q,"revision":%d}`, item, revision)
}

// write returns an open transaction that has written one item.
func (b *bundle) write(item uuid.UUID) pgx.Tx {
	b.t.Helper()
	tx, err := b.pool.Begin(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := put(b.ctx, tx, b.account, item); err != nil {
		b.t.Fatal(err)
	}
	return tx
}

// commit writes each item in a transaction of its own.
func (b *bundle) commit(items ...uuid.UUID) {
	b.t.Helper()
	for _, item := range items {
		mustEnd(b, b.write(item).Commit)
	}
}

func mustEnd(b *bundle, end func(context.Context) error) {
	b.t.Helper()
	if err := end(b.ctx); err != nil {
		b.t.Fatal(err)
	}
}

func newItems(n int) []uuid.UUID {
	items := make([]uuid.UUID, n)
	for i := range items {
		items[i] = uuid.New()
	}
	return items
}

// drain sequences all committed changes and makes the feed read them.
func (n *node) drain() {
	n.t.Helper()
	if err := n.sequencer.Drain(n.ctx); err != nil {
		n.t.Fatal(err)
	}
	if err := n.feed.catchUp(n.ctx); err != nil {
		n.t.Fatal(err)
	}
}

// await waits until the node's feed has read up to position p.
func (n *node) await(p Position) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.ctx, timeout)
	defer cancel()
	if err := n.feed.Wait(ctx, p-1); err != nil {
		n.t.Fatalf("the feed has not read position %d, it stands at %d: %v", p, n.feed.Head(), err)
	}
}

// log reads the feed from the start to its head.
func (n *node) log() []*Change { n.t.Helper(); return n.logAfter(0, readBatch) }

func (n *node) logAfter(p Position, limit int) (log []*Change) {
	n.t.Helper()
	for {
		changes, err := n.feed.Read(n.ctx, p+Position(len(log)), limit)
		if err != nil {
			n.t.Fatal(err)
		}
		if len(changes) == 0 {
			return log
		}
		log = append(log, changes...)
	}
}
