package item

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/contract"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/problem"
	"itemcast/openapi"
)

const publicURL = "https://items.example"

// bundle is a Service over a database with one account, whose user in ctx has every permission.
type bundle struct {
	t         *testing.T
	ctx       context.Context
	pool      *pgxpool.Pool
	account   uuid.UUID
	items     *Service
	feed      *change.Feed
	sequencer *change.Sequencer
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return newBundle(t)
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	return bundleOn(t, dbtest.New(t))
}

// bundleOn returns a bundle with another account on a migrated database.
func bundleOn(t *testing.T, pool *pgxpool.Pool) *bundle {
	t.Helper()
	b := &bundle{t: t, pool: pool, account: uuid.New()}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	b.addAccount(b.account)
	b.ctx = b.as(account.All()...)
	b.sequencer = change.NewSequencer(b.pool, log)
	feed, err := change.OpenFeed(t.Context(), b.pool, log)
	if err != nil {
		t.Fatal(err)
	}
	b.feed = feed
	b.items = b.service(publicURL)
	return b
}

func (b *bundle) service(publicURL string) *Service {
	b.t.Helper()
	document, err := contract.Load(openapi.Files, "core")
	if err != nil {
		b.t.Fatal(err)
	}
	return NewService(Config{Pool: b.pool, Feed: b.feed, Sequencer: b.sequencer, Check: document.Schema("ItemInput").Check,
		CheckPatch: document.Schema("ItemPatch").Check, PublicURL: publicURL, Log: slog.New(slog.NewTextHandler(b.t.Output(), nil))})
}

func (b *bundle) addAccount(id uuid.UUID) {
	b.t.Helper()
	if err := dbtest.InsertAccount(b.t.Context(), b.pool, id, "test"); err != nil {
		b.t.Fatal(err)
	}
}

// as returns a context with a user of the account who has these permissions.
func (b *bundle) as(permissions ...account.Permission) context.Context {
	return account.WithActor(b.t.Context(), account.Actor{AccountID: b.account, UserID: uuid.New(), Permissions: permissions})
}

// without returns all permissions except one.
func without(p account.Permission) []account.Permission {
	return slices.DeleteFunc(account.All(), func(other account.Permission) bool { return other == p })
}

func (b *bundle) create(input string) *Item {
	b.t.Helper()
	document, err := b.items.Create(b.ctx, []byte(input))
	if err != nil {
		b.t.Fatalf("create %s: %v", input, err)
	}
	return b.decode(document.Bytes)
}

func (b *bundle) patch(id uuid.UUID, patch string) *Item {
	b.t.Helper()
	document, err := b.items.Patch(b.ctx, id, []byte(patch), nil)
	if err != nil {
		b.t.Fatalf("patch %s: %v", patch, err)
	}
	return b.decode(document.Bytes)
}

func (b *bundle) decode(document []byte) *Item {
	b.t.Helper()
	i, err := Decode(document)
	if err != nil {
		b.t.Fatal(err)
	}
	return i
}

func (b *bundle) field(key, kind string, choices ...string) Field {
	b.t.Helper()
	f, err := b.items.CreateField(b.ctx, Field{Key: key, Kind: kind, Choices: choices})
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

// fields creates one metadata field of each kind, with the kind's name as key.
func (b *bundle) fields() {
	b.t.Helper()
	for _, kind := range []string{"text", "number", "bool", "date"} {
		b.field(kind, kind)
	}
	b.field("choice", "choice", "red", "green")
}

func (b *bundle) exec(statement string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.t.Context(), statement, args...); err != nil {
		b.t.Fatal(err)
	}
}

func value[T any](b *bundle, query string, args ...any) (v T) {
	b.t.Helper()
	if err := b.pool.QueryRow(b.t.Context(), query, args...).Scan(&v); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// changes returns the number of changes in the log.
func (b *bundle) changes() int {
	b.t.Helper()
	return value[int](b, "SELECT count(*) FROM item_change WHERE account_id = $1", b.account)
}

// faults checks the error's code, and returns its faults as lines of pointer and detail.
func faults(t *testing.T, err error, code problem.Code) string {
	t.Helper()
	told := problem.Of(err)
	if told == nil || told.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	var lines []string
	for _, f := range told.Faults {
		lines = append(lines, f.Pointer+f.Parameter+" "+f.Detail)
	}
	return strings.Join(lines, "\n")
}

func encoded(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func names(items []*Item) []string {
	out := make([]string, len(items))
	for n, i := range items {
		out[n] = i.Name
	}
	return out
}

// listed reads the whole list, page by page.
func (b *bundle) listed(filter Filter, sort Sort, limit int) []*Item {
	b.t.Helper()
	var all []*Item
	paging := Paging{Sort: sort, Limit: limit}
	for {
		page, err := b.items.List(b.ctx, filter, paging)
		if err != nil {
			b.t.Fatalf("list %+v: %v", filter, err)
		}
		for _, listed := range page.Items {
			all = append(all, b.decode(listed.Document))
			paging.After = listed.PageToken()
		}
		if !page.HasNext {
			return all
		}
	}
}

// epoch is a time with Postgres's precision.
var epoch = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
