package dispatch

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/hooktest"
)

func TestDirect_AQuickHookBypassesTheQueue(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	n, trace := b.tracedNode(Config{Sweep: time.Hour, Quick: time.Minute})
	n.directStall, n.directLimit = hooktest.Timeout, hooktest.Timeout
	b.run(n)
	item := uuid.New()
	b.write(n, item, change.Created)
	b.Eventually("it is done", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	trace.forget()
	for i := range 20 {
		b.write(n, item, change.Updated)
		b.Eventually("it is done", func() bool { return b.States(h)[hooktest.Succeeded] == 2+i })
	}
	n.stop()
	for _, name := range []string{"InsertDeliveries", "ClaimDeliveries", "SettleDeliveries", "LockGroups"} {
		if trips := trace.with(name); len(trips) > 0 {
			t.Errorf("%s: %q", name, trips)
		}
	}
	for i, m := range r.Messages() {
		if m.Revision() != i+1 {
			t.Fatalf("message %d has revision %d", i, m.Revision())
		}
	}
	deliveries, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{State: hook.Succeeded}, 100, "")
	if err != nil || len(deliveries) != 21 || deliveries[0].ID.String() != r.Messages()[20].ID() ||
		deliveries[0].Attempts != 1 || *deliveries[0].LastStatus != http.StatusNoContent {
		t.Errorf("the log has %d: %+v, %v", len(deliveries), deliveries[0], err)
	}
}

// Several changes of an item in one batch: each waits for the one before. What is not answered in time is queued.
func TestDirect_DeliveriesWithoutAnAnswerInTimeAreQueued(t *testing.T) {
	b := setup(t)
	answer := make(chan int)
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { return <-answer })
	quick := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	q, _ := b.Hook(quick.URL)
	n := b.idleNode(Config{Retries: retries(5, time.Millisecond)})
	item := uuid.New()
	b.write(n, item, change.Created, change.Updated, change.Updated)
	b.write(n, uuid.New(), change.Created)
	b.run(n)
	b.Eventually("the other hook has its deliveries", func() bool { return b.States(q)[hooktest.Succeeded] == 4 })
	b.Eventually("the rest is pending, and the first of both items is claimed", func() bool {
		return b.States(h)[hooktest.Pending] == 4 &&
			value[int](b, "SELECT count(*) FROM delivery WHERE claim IS NOT NULL") == 2
	})
	for _, status := range []int{http.StatusBadGateway, http.StatusOK, http.StatusOK, http.StatusOK, http.StatusOK} {
		answer <- status
	}
	b.Eventually("all have arrived", func() bool { return b.States(h)[hooktest.Succeeded] == 4 })
	if failed := value[int](b, "SELECT count(*) FROM delivery_attempt WHERE outcome = 'retry'"); failed != 1 {
		t.Errorf("%d failures are logged", failed)
	}
	n.stop()
	b.inOrder(r)
}

// inOrder checks that each revision came after the previous one was answered with 2xx.
func (b *bundle) inOrder(r *hooktest.Receiver) {
	b.T.Helper()
	done := map[string]int{}
	for _, m := range r.Messages() {
		_, item, _ := bytes.Cut(m.Body, []byte(`"id"`))
		if m.Revision() != done[string(item)]+1 {
			b.T.Fatalf("revision %d came after %d", m.Revision(), done[string(item)])
		}
		if m.Status < 300 {
			done[string(item)] = m.Revision()
		}
	}
}

func TestDirect_AFailureIsRetriedAndDelaysOnlyItsItem(t *testing.T) {
	b := setup(t)
	stuck, fails := uuid.New(), true
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int {
		if bytes.Contains(m.Body, []byte(stuck.String())) && fails {
			fails = false
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	n := b.idleNode(Config{Retries: retries(5, 20*time.Millisecond)})
	b.write(n, stuck, change.Created, change.Updated)
	for range 10 {
		b.write(n, uuid.New(), change.Created)
	}
	b.run(n)
	b.Eventually("all have arrived", func() bool { return b.States(h)[hooktest.Succeeded] == 12 })
	n.stop()
	if len(r.Messages()) != 13 {
		t.Errorf("%d messages", len(r.Messages()))
	}
	b.inOrder(r)
}

func TestDirect_ARolledBackDeliveryIsSentAgainUnderTheSameID(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	n := b.idleNode(Config{Quick: time.Minute})
	b.write(n, uuid.New(), change.Created)
	if err := n.sequencer.Drain(b.Ctx); err != nil {
		t.Fatal(err)
	}
	feed, err := change.OpenFeed(b.Ctx, n.pool, n.log)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := feed.Read(b.Ctx, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	n.presence.take(1, b.Ctx, time.Now().Add(time.Hour))
	failed := errors.New("the transaction fails")
	err = db.Write(b.Ctx, n.pool, func(ctx context.Context, tx pgx.Tx) error {
		if handled, err := n.fanOut(ctx, tx, changes); err != nil || handled != 1 {
			t.Errorf("handled %d, %v", handled, err)
		}
		return failed
	})
	if !errors.Is(err, failed) || len(b.States(h)) != 0 {
		t.Fatalf("%v, states %v", err, b.States(h))
	}
	b.run(n)
	b.Eventually("it has arrived", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	n.stop()
	if len(r.Messages()) != 2 || r.Messages()[0].ID() != r.Messages()[1].ID() ||
		!bytes.Equal(r.Messages()[0].Body, r.Messages()[1].Body) {
		t.Errorf("%d messages", len(r.Messages()))
	}
}

func TestDirect_ARollbackEndsThePostsAndReleasesTheirSlots(t *testing.T) {
	b := setup(t)
	end := make(chan struct{})
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { <-end; return http.StatusOK })
	t.Cleanup(func() { close(end) })
	h, _ := b.Hook(r.URL)
	n := b.idleNode(Config{Quick: time.Minute, Slots: 5})
	n.presence.take(1<<30, b.Ctx, time.Now().Add(time.Hour))
	for range 3 {
		b.write(n, uuid.New(), change.Created)
	}
	if err := n.sequencer.Drain(b.Ctx); err != nil {
		t.Fatal(err)
	}
	feed, err := change.OpenFeed(b.Ctx, n.pool, n.log)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := feed.Read(b.Ctx, 0, 10)
	if err != nil || len(changes) != 3 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	inFlight := func() int {
		n.slots.mu.Lock()
		defer n.slots.mu.Unlock()
		if l := n.slots.endpoints[h.ID]; l != nil {
			return l.inFlight
		}
		return 0
	}
	failed := errors.New("the transaction fails")
	for range 4 { // more than there are slots
		err := db.Write(b.Ctx, n.pool, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := n.fanOut(ctx, tx, changes); err != nil {
				return err
			}
			if got := inFlight(); got != 3 {
				t.Errorf("%d slots are taken, want 3", got)
			}
			return failed
		})
		if !errors.Is(err, failed) {
			t.Fatal(err)
		}
		// The next fan-out abandons the posts, even one of changes that no hook wants.
		err = db.Write(b.Ctx, n.pool, func(ctx context.Context, tx pgx.Tx) error {
			_, err := n.fanOut(ctx, tx, []*change.Change{{AccountID: uuid.New(), Kind: change.Created}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Eventually("the slots are released", func() bool { return inFlight() == 0 })
	}
	if len(b.States(h)) != 0 || len(n.outcomes) != 0 {
		t.Errorf("deliveries %v, %d outcomes, want none", b.States(h), len(n.outcomes))
	}
}

func TestFirstPart_IsOfWholeChanges(t *testing.T) {
	t.Parallel()
	var changes []*change.Change
	var deliveries []matched
	for p := range 500 {
		c := &change.Change{Position: change.Position(p + 1)}
		changes = append(changes, c)
		for range 7 {
			deliveries = append(deliveries, matched{change: c})
		}
	}
	some, those := firstPart(changes, deliveries)
	if len(those) < maxFanOut || len(those) > maxFanOut+7 || len(those) != 7*len(some) {
		t.Errorf("%d deliveries of %d changes", len(those), len(some))
	}
	if some, those := firstPart(changes, deliveries[:100]); len(some) != 500 || len(those) != 100 {
		t.Errorf("%d deliveries of %d changes", len(those), len(some))
	}
}
