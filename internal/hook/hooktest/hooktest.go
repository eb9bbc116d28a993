// Package hooktest is shared by the tests of hooks: a database with one account, its hook service, changes to items,
// and endpoints that record what they receive. It starts no dispatcher.
package hooktest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/hook"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// Timeout bounds every wait. The events that tests wait for come much sooner.
const Timeout = time.Minute

// Version is the version in the User-Agent of senders.
const Version = "1.2.3"

// Loopback is a policy that allows hooks to reach this machine.
var Loopback = egress.Policy{Networks: []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
}}

// AllEvents are the events that a hook can ask for.
var AllEvents = []string{hook.ItemCreated, hook.ItemUpdated, hook.ItemDeleted, hook.ItemTriggered}

// Bundle is a database with one account, and a context in which a user manages its hooks.
type Bundle struct {
	T       testing.TB
	Ctx     context.Context
	Pool    *pgxpool.Pool
	Account uuid.UUID
	Items   *item.Service // accepts every input: it has no contract to check it against
	Service *hook.Service
	Config  hook.Config // of Service
	// Sample replaces the documents that hooks are tested with.
	Sample func(ctx context.Context, id *uuid.UUID) (item.Document, error)
}

// New makes a bundle whose hooks may reach loopback. The feed of its service does not run: it reads on demand.
func New(t testing.TB) *Bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*Timeout) // ends a test that hangs
	t.Cleanup(cancel)
	pool, err := db.Open(t.Context(), dbtest.URL(t)+"&pool_max_conns=6")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	b := &Bundle{T: t, Pool: pool, Sample: func(_ context.Context, id *uuid.UUID) (item.Document, error) {
		if id == nil {
			id = new(uuid.New())
		}
		return item.Document{Bytes: DocumentOf(*id, 7), Revision: 7}, nil
	}}
	b.Account = b.NewAccount()
	b.Ctx = Managing(ctx, b.Account)
	feed, err := change.OpenFeed(ctx, pool, b.Log())
	if err != nil {
		t.Fatal(err)
	}
	check := func([]byte) *problem.Error { return nil }
	b.Items = item.NewService(item.Config{
		Pool: pool, Feed: feed, Sequencer: change.NewSequencer(pool, b.Log()), Check: check, CheckPatch: check,
		PublicURL: "https://items.example", Log: b.Log(),
	})
	b.Use(func(c *hook.Config) {
		c.Pool, c.Feed, c.Items, c.Reach, c.Sender = pool, feed, sampled{b.Items, b}, Loopback, NewSender(Loopback)
	})
	return b
}

// sampled is an item service whose samples are a bundle's.
type sampled struct {
	*item.Service
	bundle *Bundle
}

func (s sampled) Sample(ctx context.Context, id *uuid.UUID) (item.Document, error) {
	return s.bundle.Sample(ctx, id)
}

// NewSender makes a sender that may reach what the policy allows.
func NewSender(reach egress.Policy) *sending.Sender {
	return sending.New(reach.Transport(egress.Options{}), sending.Config{Version: Version})
}

// Managing returns a context in which a user of an account manages hooks.
func Managing(ctx context.Context, accountID uuid.UUID) context.Context {
	return account.WithActor(ctx, account.Actor{
		AccountID: accountID, UserID: uuid.New(),
		Permissions: account.Permissions{account.APIAccess, account.HooksManage},
	})
}

// Use replaces the service by one with another configuration.
func (b *Bundle) Use(change func(c *hook.Config)) {
	change(&b.Config)
	b.Service = hook.NewService(b.Config)
}

// Log returns a logger that writes to the test's output.
func (b *Bundle) Log() *slog.Logger { return slog.New(slog.NewTextHandler(b.T.Output(), nil)) }

// NewAccount makes another account.
func (b *Bundle) NewAccount() uuid.UUID {
	b.T.Helper()
	id := uuid.New()
	if err := dbtest.InsertAccount(b.T.Context(), b.Pool, id, "test"); err != nil {
		b.T.Fatal(err)
	}
	return id
}

// Hook makes a hook that asks for the events; without events, for all.
func (b *Bundle) Hook(url string, events ...string) (h hook.Hook, secret string) {
	b.T.Helper()
	if len(events) == 0 {
		events = AllEvents
	}
	return b.HookOf(map[string]any{"url": url, "events": events})
}

// HookOf makes a hook of settings.
func (b *Bundle) HookOf(settings map[string]any) (h hook.Hook, secret string) {
	b.T.Helper()
	raw, err := json.Marshal(settings)
	if err != nil {
		b.T.Fatal(err)
	}
	h, secret, err = b.Service.Create(b.Ctx, raw)
	if err != nil {
		b.T.Fatal(err)
	}
	return h, secret
}

// Patch changes a hook.
func (b *Bundle) Patch(h hook.Hook, patch string) hook.Hook {
	b.T.Helper()
	patched, err := b.Service.Patch(b.Ctx, h.ID, []byte(patch), nil)
	if err != nil {
		b.T.Fatal(err)
	}
	return patched
}

// Get reads a hook.
func (b *Bundle) Get(h hook.Hook) hook.Hook {
	b.T.Helper()
	got, err := b.Service.Get(b.Ctx, h.ID)
	if err != nil {
		b.T.Fatal(err)
	}
	return got
}

// Replay begins a replay, of the whole log unless from says otherwise.
func (b *Bundle) Replay(h hook.Hook, from hook.ReplayFrom) hook.Replay {
	b.T.Helper()
	if from.After == "" && from.Since == nil {
		from.After = b.Config.Feed.Cursor(0)
	}
	r, err := b.Service.Replay(b.Ctx, h.ID, from)
	if err != nil {
		b.T.Fatal(err)
	}
	return r
}

// Exec executes a statement.
func (b *Bundle) Exec(statement string, args ...any) {
	b.T.Helper()
	if _, err := b.Pool.Exec(b.Ctx, statement, args...); err != nil {
		b.T.Fatalf("%s: %v", statement, err)
	}
}

// Value reads the one value that a query returns.
func Value[T any](b *Bundle, query string, args ...any) (v T) {
	b.T.Helper()
	if err := b.Pool.QueryRow(b.Ctx, query, args...).Scan(&v); err != nil {
		b.T.Fatalf("%s: %v", query, err)
	}
	return v
}

// Eventually polls until a condition holds that has no signal, such as a state of the database.
func (b *Bundle) Eventually(what string, holds func() bool) {
	b.T.Helper()
	deadline := time.After(Timeout)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			b.T.Fatalf("not within %s: %s", Timeout, what)
		case <-tick.C:
		}
	}
}

// The states of deliveries, as States counts them.
const (
	Pending   = string(hook.Pending)
	Succeeded = string(hook.Succeeded)
	Failed    = string(hook.Failed)
)

// States counts the deliveries of a hook by state.
func (b *Bundle) States(h hook.Hook) map[string]int {
	b.T.Helper()
	rows, err := b.Pool.Query(b.Ctx, `SELECT state, count(*) FROM (
		SELECT 'pending' AS state FROM delivery WHERE hook_id = $1
		UNION ALL SELECT outcome FROM delivery_attempt WHERE hook_id = $1 AND closes) d GROUP BY state`, h.ID)
	if err != nil {
		b.T.Fatal(err)
	}
	states := map[string]int{}
	var state string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { states[state] = n; return nil }); err != nil {
		b.T.Fatal(err)
	}
	return states
}
