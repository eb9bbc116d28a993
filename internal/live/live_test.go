package live

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/contract"
	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/openapi"
)

// timeout limits each wait of the tests. What they wait for happens much sooner, even on a busy machine.
const timeout = time.Minute

// bundle is a running log, a hub that reads it, and an item service that writes to it.
type bundle struct {
	t       *testing.T
	ctx     context.Context // carries the actor
	pool    *pgxpool.Pool
	account uuid.UUID
	hub     *Hub
	items   *item.Service
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	pool, log, id := dbtest.New(t), slog.New(slog.NewTextHandler(t.Output(), nil)), uuid.New()
	if err := dbtest.InsertAccount(t.Context(), pool, id, "test"); err != nil {
		t.Fatal(err)
	}
	feed, err := change.OpenFeed(t.Context(), pool, log)
	if err != nil {
		t.Fatal(err)
	}
	document, err := contract.Load(openapi.Files, "core")
	if err != nil {
		t.Fatal(err)
	}
	sequencer := change.NewSequencer(pool, log)
	running, cancel := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	parts.Go(func() { _ = sequencer.Run(running) })
	parts.Go(func() { _ = feed.Run(running) })
	t.Cleanup(func() { cancel(); parts.Wait() })
	actor := account.Actor{AccountID: id, UserID: uuid.New(), Permissions: account.All()}
	return &bundle{t: t, pool: pool, account: id, hub: NewHub(pool, feed, 10, log), ctx: account.WithActor(t.Context(), actor),
		items: item.NewService(item.Config{
			Pool: pool, Feed: feed, Sequencer: sequencer, Check: document.Schema("ItemInput").Check,
			CheckPatch: document.Schema("ItemPatch").Check, PublicURL: "https://items.example", Log: log,
		})}
}

func (b *bundle) subscribe(after string, filter *item.Filter, kinds ...Kind) *Subscription {
	b.t.Helper()
	s, err := b.hub.Subscribe(b.ctx, after, filter, kinds)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bundle) expect(s *Subscription, kind Kind, revision int64) *Event {
	b.t.Helper()
	event, err := next(b.ctx, s)
	if err != nil {
		b.t.Fatal(err)
	}
	if event.Kind != kind || event.Revision != revision {
		b.t.Fatalf("got %s of revision %d, want %s of %d", event.Kind, event.Revision, kind, revision)
	}
	return event
}

// next waits for the next event.
func next(ctx context.Context, s *Subscription) (*Event, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		events, more, err := s.Read(ctx, 1)
		if err != nil {
			return nil, err
		}
		if len(events) > 0 {
			return events[0], nil
		}
		if !more {
			if err := s.Wait(ctx); err != nil {
				return nil, err
			}
		}
	}
}

func (b *bundle) create(input string) uuid.UUID {
	b.t.Helper()
	document, err := b.items.Create(b.ctx, []byte(input))
	if err != nil {
		b.t.Fatal(err)
	}
	i, err := item.Decode(document.Bytes)
	if err != nil {
		b.t.Fatal(err)
	}
	return i.ID
}

func (b *bundle) patch(id uuid.UUID, patch string) {
	b.t.Helper()
	if _, err := b.items.Patch(b.ctx, id, []byte(patch), nil); err != nil {
		b.t.Fatal(err)
	}
}

func TestSubscription_ReportsOnceThatAnItemEntersOrLeavesTheFilter(t *testing.T) {
	b := setup(t)
	for name, c := range map[string]struct {
		filter             item.Filter
		in, out, elsewhere string
	}{
		"tags":   {item.Filter{Tags: []string{"news"}}, `{"tags":["news"]}`, `{"tags":[]}`, `{"tags":["other"]}`},
		"search": {item.Filter{Search: "metropolis"}, `{"name":"Metropolis"}`, `{"name":"n"}`, `{"name":"m"}`},
		"type":   {item.Filter{Types: []item.ItemType{"audio"}}, `{"type":"audio"}`, `{"type":"live"}`, `{"type":"image"}`},
	} {
		s := b.subscribe("", &c.filter)
		id := b.create(`{"name":"first"}`) // 1: does not match: no event
		b.patch(id, c.in)                  // 2
		b.patch(id, `{"producer":"x"}`)    // 3
		b.patch(id, c.out)                 // 4
		b.patch(id, c.elsewhere)           // 5: still does not match
		b.patch(id, c.in)                  // 6
		if err := b.items.Delete(b.ctx, id, nil); err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		b.expect(s, Entered, 2)
		b.expect(s, "UPDATED", 3)
		if left := b.expect(s, Left, 4); !bytes.Contains(left.Document, []byte(`"revision":4}`)) {
			t.Errorf("LEFT carries %s", left.Document)
		}
		b.expect(s, Entered, 6)
		b.expect(s, "DELETED", 7)
	}
}

func TestSubscription_ResumesAfterEveryCursorWithoutGapOrRepeat(t *testing.T) {
	b := setup(t)
	whole := b.subscribe("", nil)
	id := b.create(`{"name":"0"}`)
	for range 5 {
		b.patch(id, `{"name":"`+uuid.NewString()+`"}`)
	}
	var cursors []string
	for revision := range int64(6) {
		kind := Kind("UPDATED")
		if revision == 0 {
			kind = "CREATED"
		}
		cursors = append(cursors, b.expect(whole, kind, revision+1).Cursor)
	}
	for n, cursor := range cursors[:5] {
		s := b.subscribe(cursor, nil)
		for revision := n + 2; revision <= 6; revision++ {
			if event := b.expect(s, "UPDATED", int64(revision)); event.Cursor != cursors[revision-1] {
				t.Errorf("revision %d has another cursor after a resume", revision)
			}
		}
	}
	if _, err := b.hub.Subscribe(b.ctx, "nonsense", nil, nil); !problem.Is(err, problem.InvalidCursor) {
		t.Errorf("got %v", err)
	}
}

func TestSubscription_HasOnlyTheKindsAskedForAndOnlyItsAccount(t *testing.T) {
	b := setup(t)
	deleted := b.subscribe("", nil, "DELETED")
	other := *b
	other.account = uuid.New()
	if err := dbtest.InsertAccount(b.ctx, b.pool, other.account, "other"); err != nil {
		t.Fatal(err)
	}
	other.ctx = account.WithActor(t.Context(),
		account.Actor{AccountID: other.account, UserID: uuid.New(), Permissions: account.All()})
	stranger := other.subscribe("", nil)
	id := b.create(`{"name":"n"}`)
	b.patch(id, `{"name":"m"}`)
	if err := b.items.Delete(b.ctx, id, nil); err != nil {
		t.Fatal(err)
	}
	b.expect(deleted, "DELETED", 3)
	other.create(`{"name":"theirs"}`)
	if event := other.expect(stranger, "CREATED", 1); !bytes.Contains(event.Document, []byte(`"theirs"`)) {
		t.Errorf("another account's first event is %s", event.Document)
	}
}

func (b *bundle) actor() account.Actor {
	actor, _ := account.ActorFrom(b.ctx)
	return actor
}

// A filter by the time of the last change tells of an item's first change after that time as ENTERED, and of the next
// as UPDATED. Changes of before updated_at was recorded tell it as UPDATED.
func TestSubscription_TheFirstChangeAfterUpdatedAfterEntersTheFilter(t *testing.T) {
	b := setup(t)
	id := b.create(`{"name":"first"}`)
	document, err := b.items.Get(b.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	i, err := item.Decode(document.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	start := b.hub.feed.Cursor(0)
	filter := &item.Filter{UpdatedAfter: &i.UpdatedAt}
	s := b.subscribe(start, filter)
	b.patch(id, `{"name":"second"}`)
	b.expect(s, Entered, 2)
	b.patch(id, `{"tags":["a"]}`)
	b.expect(s, "UPDATED", 3)

	err = db.Write(b.ctx, b.pool, func(ctx context.Context, tx pgx.Tx) error {
		return change.Record(ctx, tx, change.Change{
			AccountID: b.account, ItemID: id, Revision: 4, Kind: change.Updated, ChangedFields: []string{"name"},
			Previous: []byte(`{"name":"second"}`), Trigger: change.TriggerWrite,
			Document: bytes.Replace(document.Bytes, []byte(`"updated_at":"2`), []byte(`"updated_at":"3`), 1),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	b.expect(s, "UPDATED", 4)
}

// Such a document is a fault of this program or of the database. It must not stop what follows it in the log.
func TestSubscription_AnItemThatCannotBeDecodedStopsNoStream(t *testing.T) {
	b := setup(t)
	start := b.hub.feed.Cursor(0)
	filtered := b.subscribe(start, &item.Filter{Tags: []string{"silent"}})
	all := b.subscribe(start, nil)
	err := db.Write(b.ctx, b.pool, func(ctx context.Context, tx pgx.Tx) error {
		for n, kind := range []change.Kind{change.Created, change.Updated} {
			if err := change.Record(ctx, tx, change.Change{
				AccountID: b.account, ItemID: uuid.New(), Revision: int64(n) + 7, Kind: kind, Trigger: change.TriggerWrite,
				Previous: []byte(`{"name":"x"}`), ChangedFields: []string{"name"},
				Document: []byte(`{"name":"broken","created_at":"10000-01-01T09:59:59.000000Z","tags":["silent"]}`),
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.create(`{"name":"Metropolis","tags":["silent"]}`)
	b.expect(filtered, "CREATED", 1)
	b.expect(all, "CREATED", 7)
	b.expect(all, "UPDATED", 8)
	b.expect(all, "CREATED", 1)
}
