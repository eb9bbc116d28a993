package hook

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
)

func TestDirect_WhatArrivesAtOnceWasNeverInTheQueue(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hook(r.URL)
	n, trace := b.tracedNode(Config{Sweep: time.Hour, Quick: time.Minute})
	b.run(n)
	item := uuid.New()
	b.write(n, item, change.Created)
	b.eventually("it is done", func() bool { return b.states(h)[stateSucceeded] == 1 })
	trace.forget()
	for i := range 20 {
		b.write(n, item, change.Updated)
		b.eventually("it is done", func() bool { return b.states(h)[stateSucceeded] == 2+i })
	}
	n.stop()
	for _, name := range []string{"InsertDeliveries", "ClaimDeliveries", "SettleDeliveries", "LockLines"} {
		if trips := trace.with(name); len(trips) > 0 {
			t.Errorf("%s: %q", name, trips)
		}
	}
	for i, m := range r.messages {
		if m.revision() != i+1 {
			t.Fatalf("message %d has revision %d", i, m.revision())
		}
	}
	deliveries, _, err := b.service.Deliveries(b.ctx, DeliveryFilter{State: Succeeded}, 100, "")
	if err != nil || len(deliveries) != 21 || deliveries[0].ID.String() != r.messages[20].id() || deliveries[0].Attempts != 1 || *deliveries[0].LastStatus != http.StatusNoContent {
		t.Errorf("the log has %d: %+v, %v", len(deliveries), deliveries[0], err)
	}
}

// An item's changes of one batch: the next waits for the one before, and what an endpoint does not answer in time goes by way of the queue.
func TestDirect_WhatIsNotAnsweredInTimeGoesOnInTheQueue(t *testing.T) {
	b := setup(t)
	answer := make(chan int)
	r := b.receiver(func(http.ResponseWriter, message) int { return <-answer })
	quick := b.receiver(nil)
	h, _ := b.hook(r.URL)
	q, _ := b.hook(quick.URL)
	n := b.idleNode(Config{Retries: retries(5, time.Millisecond)})
	item := uuid.New()
	b.write(n, item, change.Created, change.Updated, change.Updated)
	b.write(n, uuid.New(), change.Created)
	b.run(n)
	b.eventually("the others have theirs", func() bool { return b.states(q)[stateSucceeded] == 4 })
	b.eventually("the rest waits", func() bool { return b.states(h)[statePending] == 4 })
	if claimed := value[int](b, "SELECT count(*) FROM delivery WHERE claim IS NOT NULL"); claimed != 2 {
		t.Errorf("%d are claimed, want the first of both items", claimed)
	}
	for _, status := range []int{http.StatusBadGateway, http.StatusOK, http.StatusOK, http.StatusOK, http.StatusOK} {
		answer <- status
	}
	b.eventually("all have arrived", func() bool { return b.states(h)[stateSucceeded] == 4 })
	if failed := value[int](b, "SELECT count(*) FROM delivery_attempt WHERE outcome = 'retry'"); failed != 1 {
		t.Errorf("%d failures are logged", failed)
	}
	n.stop()
	b.inOrder(r)
}

// inOrder checks that no revision came before the one before it had been answered with 2xx.
func (b *bundle) inOrder(r *receiver) {
	b.t.Helper()
	done := map[string]int{}
	for _, m := range r.messages {
		_, item, _ := bytes.Cut(m.body, []byte(`"id"`))
		if m.revision() != done[string(item)]+1 {
			b.t.Fatalf("revision %d came after %d", m.revision(), done[string(item)])
		}
		if m.status < 300 {
			done[string(item)] = m.revision()
		}
	}
}

func TestDirect_AFailureIsTriedAgainAndHoldsUpItsItemOnly(t *testing.T) {
	b := setup(t)
	stuck, fails := uuid.New(), true
	r := b.receiver(func(_ http.ResponseWriter, m message) int {
		if bytes.Contains(m.body, []byte(stuck.String())) && fails {
			fails = false
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	h, _ := b.hook(r.URL)
	n := b.idleNode(Config{Retries: retries(5, 20*time.Millisecond)})
	b.write(n, stuck, change.Created, change.Updated)
	for range 10 {
		b.write(n, uuid.New(), change.Created)
	}
	b.run(n)
	b.eventually("all have arrived", func() bool { return b.states(h)[stateSucceeded] == 12 })
	n.stop()
	if len(r.messages) != 13 {
		t.Errorf("%d messages", len(r.messages))
	}
	b.inOrder(r)
}

func TestDirect_WhatIsRolledBackIsSentAgainUnderTheSameID(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hook(r.URL)
	n := b.idleNode(Config{Quick: time.Minute})
	b.write(n, uuid.New(), change.Created)
	if err := n.sequencer.Drain(b.ctx); err != nil {
		t.Fatal(err)
	}
	feed, err := change.OpenFeed(b.ctx, n.pool, n.log)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := feed.Read(b.ctx, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	n.presence.take(1, b.ctx, time.Now().Add(time.Hour))
	failed := errors.New("the transaction fails")
	err = db.Write(b.ctx, n.pool, func(ctx context.Context, tx pgx.Tx) error {
		if handled, err := n.fanOut(ctx, tx, changes); err != nil || handled != 1 {
			t.Errorf("handled %d, %v", handled, err)
		}
		return failed
	})
	if !errors.Is(err, failed) || len(b.states(h)) != 0 {
		t.Fatalf("%v, states %v", err, b.states(h))
	}
	b.run(n)
	b.eventually("it has arrived", func() bool { return b.states(h)[stateSucceeded] == 1 })
	n.stop()
	if len(r.messages) != 2 || r.messages[0].id() != r.messages[1].id() || !bytes.Equal(r.messages[0].body, r.messages[1].body) {
		t.Errorf("%d messages", len(r.messages))
	}
}

func TestPortion_IsOfWholeChanges(t *testing.T) {
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
	some, those := portion(changes, deliveries)
	if len(those) < fanOutMost || len(those) > fanOutMost+7 || len(those) != 7*len(some) {
		t.Errorf("%d deliveries of %d changes", len(those), len(some))
	}
	if some, those := portion(changes, deliveries[:100]); len(some) != 500 || len(those) != 100 {
		t.Errorf("%d deliveries of %d changes", len(those), len(some))
	}
}
