package hook

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook/sending"
	"itemcast/internal/problem"
)

// delivery reads the delivery that a message was of.
func (b *bundle) delivery(m message) (Delivery, []Attempt) {
	b.t.Helper()
	d, attempts, err := b.service.Delivery(b.ctx, uuid.MustParse(m.id()))
	if err != nil {
		b.t.Fatal(err)
	}
	return d, attempts
}

func (b *bundle) redeliver(m message) Delivery {
	b.t.Helper()
	d, err := b.service.Redeliver(b.ctx, uuid.MustParse(m.id()))
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func TestAttempts_TellWhatWasAnsweredAndWhenTheNextIs(t *testing.T) {
	b := setup(t)
	long := strings.Repeat("é", 4000)
	tries := 0
	r := b.receiver(func(w http.ResponseWriter, _ message) int {
		tries++
		if tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, long)
			return 0
		}
		w.Header().Set("Retry-After", "3600")
		return http.StatusTooManyRequests
	})
	h, _ := b.hook(r.URL)
	n := b.node(Config{Retries: []time.Duration{time.Millisecond, time.Minute, time.Minute}})
	begun := time.Now()
	b.write(n, uuid.New(), change.Created, change.Updated)
	first := r.awaitCount(2)[0]
	b.eventually("both attempts are written", func() bool { d, _ := b.delivery(first); return d.Attempts == 2 })
	d, attempts := b.delivery(first)
	if d.State != Pending || *d.WaitsFor != ForRetry || d.Event != ItemCreated || d.Trigger != "hook" || d.Revision != 1 || d.HookID != h.ID ||
		d.Cursor != first.header.Get("Itemcast-Cursor") || *d.LastStatus != http.StatusTooManyRequests || *d.LastFault != string(sending.Status) ||
		*d.LastError != "The answer was 429 Too Many Requests" || d.LastAttemptAt == nil || d.OccurredAt == nil {
		t.Errorf("the delivery is %+v", d)
	}
	if wait := d.NextAttemptAt.Sub(*d.LastAttemptAt); wait < 59*time.Minute || wait > 61*time.Minute {
		t.Errorf("the next attempt is in %s, and an hour was asked for", wait)
	}
	for i, a := range attempts {
		if a.Number != i+1 || a.Succeeded || a.Trigger != "hook" || a.At.Before(begun.Add(-time.Second)) || a.Duration == nil || *a.Duration <= 0 || *a.Duration > patience {
			t.Errorf("attempt %d is %+v", i+1, a)
		}
	}
	if a := attempts[0]; *a.Status != http.StatusServiceUnavailable || *a.Fault != string(sending.Status) || *a.Error != "The answer was 503 Service Unavailable" ||
		a.Response == nil || len(*a.Response) != 4096 || !strings.HasPrefix(long, *a.Response) {
		t.Errorf("the first attempt is %+v", a)
	}
	if a := attempts[1]; a.Response != nil {
		t.Errorf("the second attempt is %+v", a)
	}
	listed, _, err := b.service.Deliveries(b.ctx, DeliveryFilter{State: Pending}, 10, "")
	if err != nil || len(listed) != 2 || *listed[0].WaitsFor != ForEarlier || listed[0].NextAttemptAt != nil || fmt.Sprint(listed[1].ID) != first.id() {
		t.Errorf("listed %+v, %v", listed, err)
	}
}

func TestAttempts_TellOfEndpointsThatDoNotAnswer(t *testing.T) {
	b := setup(t)
	gone := b.receiver(nil)
	gone.Close()
	b.hook(gone.URL)
	n := b.node(Config{Retries: []time.Duration{}})
	b.write(n, uuid.New(), change.Created)
	b.eventually("it has failed", func() bool {
		return value[int](b, "SELECT count(*) FROM delivery_attempt WHERE closes AND outcome = 'failed'") == 1
	})
	listed, _, err := b.service.Deliveries(b.ctx, DeliveryFilter{State: Failed}, 10, "")
	if err != nil || len(listed) != 1 {
		t.Fatalf("%+v, %v", listed, err)
	}
	if d := listed[0]; d.LastStatus != nil || *d.LastFault != string(sending.Connect) || !strings.HasPrefix(*d.LastError, "Nothing listens at 127.0.0.1:") || d.WaitsFor != nil || d.NextAttemptAt != nil {
		t.Errorf("the delivery is %+v", d)
	}
}

func TestRedeliver_OfAFailedOneHasTheIDAndTheBytesNumbersOnAndBeginsTheScheduleAnew(t *testing.T) {
	b := setup(t)
	r, answer := b.answering(http.StatusInternalServerError)
	h, secret := b.hook(r.URL)
	n := b.node(Config{Retries: retries(1, time.Millisecond)})
	b.write(n, uuid.New(), change.Created)
	b.eventually("it has failed", func() bool { return b.states(h)[stateFailed] == 1 })
	first := r.awaitCount(2)[0]

	again := b.redeliver(first)
	if again.State != Pending || again.ID.String() != first.id() || again.Attempts != 2 || again.Trigger != change.TriggerManual || again.Revision != 1 || again.Event != ItemCreated {
		t.Errorf("asked for again, it is %+v", again)
	}
	b.eventually("it has failed again, after a retry", func() bool {
		return b.states(h)[stateFailed] == 1 && value[int](b, "SELECT count(*) FROM delivery_attempt") == 4
	})
	answer.Store(http.StatusOK)
	b.redeliver(first)
	b.eventually("it is delivered", func() bool { return b.states(h)[stateSucceeded] == 1 })
	b.redeliver(first) // also what has succeeded
	messages := r.awaitCount(6)
	b.eventually("and again", func() bool {
		return value[int](b, "SELECT count(*) FROM delivery_attempt") == 6 && len(b.states(h)) == 1
	})
	for i, m := range messages {
		trigger := change.TriggerWrite
		if i > 1 {
			trigger = change.TriggerManual
		}
		if m.id() != first.id() || !bytes.Equal(m.body, first.body) || m.header.Get("Itemcast-Trigger") != trigger || m.header.Get("Itemcast-Cursor") != first.header.Get("Itemcast-Cursor") ||
			m.header.Get("Itemcast-Occurred-At") != first.header.Get("Itemcast-Occurred-At") {
			t.Errorf("message %d is %s %v", i, m.body, m.header)
		}
		verify(t, m, secret)
	}
	d, attempts := b.delivery(first)
	if d.State != Succeeded || d.Attempts != 6 || d.LastError != nil || d.Trigger != change.TriggerManual {
		t.Errorf("the delivery is %+v", d)
	}
	for i, a := range attempts {
		if a.Number != i+1 || a.Succeeded != (i > 3) {
			t.Errorf("attempt %d is %+v", i+1, a)
		}
	}
	if listed, _, err := b.service.Deliveries(b.ctx, DeliveryFilter{}, 10, ""); err != nil || len(listed) != 1 {
		t.Errorf("listed %+v, %v", listed, err)
	}
}

func TestRedeliver_OfAPendingOneIsAtOnceUnlessItIsUnderWayOrParked(t *testing.T) {
	b := setup(t)
	arrived, answer := make(chan message, 10), make(chan int, 10)
	r := b.receiver(func(_ http.ResponseWriter, m message) int { arrived <- m; return <-answer })
	h, _ := b.hook(r.URL)
	n := b.node(Config{Quick: -1, Retries: retries(3, time.Hour)})
	b.write(n, uuid.New(), change.Created, change.Updated)
	first := <-arrived
	conflict := func(what string, id uuid.UUID, words string) {
		t.Helper()
		if _, err := b.service.Redeliver(b.ctx, id); !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", what, err)
		}
	}
	conflict("one that is being sent", uuid.MustParse(first.id()), "being sent")
	b.eventually("the second is there", func() bool { return b.states(h)[statePending] == 2 })
	parked := value[uuid.UUID](b, "SELECT id FROM delivery WHERE due_at IS NULL")
	conflict("one that waits for an earlier one", parked, "earlier")
	answer <- http.StatusInternalServerError
	b.eventually("it waits for its retry", func() bool { d, _ := b.delivery(first); return *d.WaitsFor == ForRetry })
	if d := b.redeliver(first); *d.WaitsFor == ForRetry || d.Attempts != 1 || d.Trigger != change.TriggerManual {
		t.Errorf("hastened, it is %+v", d)
	}
	if m := <-arrived; m.id() != first.id() || m.header.Get("Itemcast-Trigger") != change.TriggerManual {
		t.Errorf("then came %v", m.header)
	}
	answer <- http.StatusInternalServerError
	b.eventually("the schedule has begun anew", func() bool { d, _ := b.delivery(first); return d.Attempts == 2 && *d.WaitsFor == ForRetry })
	b.patch(h, `{"active":false}`)
	b.eventually("all has failed", func() bool { return b.states(h)[stateFailed] == 2 })
	conflict("one of an inactive hook", parked, "inactive")
	b.patch(h, `{"active":true}`)
	b.exec("DELETE FROM item_change WHERE revision = 2")
	conflict("one whose change is no longer kept", parked, "no longer keeps")
	for name, id := range map[string]uuid.UUID{"none": uuid.New(), "one of nearly that id": {0, 0, 0, 0, 0, 1, 1}} {
		if _, err := b.service.Redeliver(b.ctx, id); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stranger := acting(b.ctx, b.newAccount())
	if _, err := b.service.Redeliver(stranger, uuid.MustParse(first.id())); !problem.Is(err, problem.NotFound) {
		t.Errorf("another account's: %v", err)
	}
}

// An older change that is asked for again waits for a newer one that is under way, and the line goes on after it.
func TestRedeliver_JoinsItsLine(t *testing.T) {
	b := setup(t)
	arrived, answer := make(chan message, 10), make(chan int, 10)
	r := b.receiver(func(_ http.ResponseWriter, m message) int { arrived <- m; return <-answer })
	h, _ := b.hook(r.URL)
	n := b.node(Config{Quick: -1}) // by way of the queue
	item := uuid.New()
	b.write(n, item, change.Created)
	first := <-arrived
	answer <- http.StatusOK
	b.eventually("it is delivered", func() bool { return b.states(h)[stateSucceeded] == 1 })
	b.write(n, item, change.Updated)
	<-arrived
	if d := b.redeliver(first); *d.WaitsFor != ForEarlier {
		t.Errorf("it is %+v", d)
	}
	answer <- http.StatusOK
	if m := <-arrived; m.id() != first.id() {
		t.Errorf("then came %v", m.header)
	}
	answer <- http.StatusOK
	b.eventually("both are done", func() bool { return b.states(h)[stateSucceeded] == 2 })
}

func TestDeliveries_AreFilteredByHookItemStateAndTime(t *testing.T) {
	b := setup(t)
	r := b.receiver(func(_ http.ResponseWriter, m message) int {
		if m.revision() == 2 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	fails, _ := b.hook(r.URL)
	works, _ := b.hook(b.receiver(nil).URL)
	n := b.node(Config{Retries: []time.Duration{}})
	one, two := uuid.New(), uuid.New()
	start := time.Now().Add(-time.Hour).Truncate(time.Second)
	for i, item := range []uuid.UUID{one, two, one, two} {
		kind := change.Created
		if i > 1 {
			kind = change.Updated
		}
		b.record(n, change.Change{ItemID: item, Kind: kind, Trigger: change.TriggerWrite, OccurredAt: start.Add(time.Duration(i) * time.Minute)})
	}
	b.eventually("all are done with", func() bool { return b.states(fails)[stateFailed] == 2 && b.states(works)[stateSucceeded] == 4 })
	b.eventually("the service's node has read them", func() bool { return n.feed.Head() == 4 })
	b.serveOn(n)
	at := func(minute int) *time.Time { return new(start.Add(time.Duration(minute) * time.Minute)) }
	for name, c := range map[string]struct {
		filter DeliveryFilter
		want   int
	}{
		"all": {DeliveryFilter{}, 8}, "hook": {DeliveryFilter{Hook: &fails.ID}, 4}, "item": {DeliveryFilter{Item: &one}, 4}, "failed": {DeliveryFilter{State: Failed}, 2},
		"succeeded": {DeliveryFilter{State: Succeeded}, 6}, "pending": {DeliveryFilter{State: Pending}, 0}, "item and state": {DeliveryFilter{Item: &two, State: Failed}, 1},
		"all three": {DeliveryFilter{Hook: &works.ID, Item: &two, State: Failed}, 0}, "hook, state": {DeliveryFilter{Hook: &fails.ID, State: Succeeded}, 2},
		"from": {DeliveryFilter{OccurredAfter: at(2)}, 4}, "until": {DeliveryFilter{OccurredBefore: at(1)}, 2}, "between": {DeliveryFilter{OccurredAfter: at(1), OccurredBefore: at(3)}, 4},
		"item, from": {DeliveryFilter{Item: &one, OccurredAfter: at(1)}, 2}, "failed, until": {DeliveryFilter{State: Failed, OccurredBefore: at(3)}, 1},
		"later": {DeliveryFilter{OccurredAfter: at(9)}, 0}, "another item": {DeliveryFilter{Item: new(uuid.New())}, 0},
	} {
		got, next, err := b.service.Deliveries(b.ctx, c.filter, 100, "")
		if err != nil || len(got) != c.want || next != "" {
			t.Errorf("%s: %d, want %d; %q, %v", name, len(got), c.want, next, err)
		}
	}
	if _, _, err := b.service.Deliveries(b.ctx, DeliveryFilter{Hook: new(uuid.New())}, 10, ""); !problem.Is(err, problem.NotFound) {
		t.Errorf("no hook: %v", err)
	}
	for _, place := range []string{"x", strings.Repeat("A", 32) + "=", strings.Repeat("_", 32)} {
		if _, _, err := b.service.Deliveries(b.ctx, DeliveryFilter{}, 10, place); !problem.Is(err, problem.InvalidCursor) {
			t.Errorf("the place %s: %v", place, err)
		}
	}
	if got, _, err := b.service.Deliveries(acting(b.ctx, b.newAccount()), DeliveryFilter{}, 10, ""); err != nil || len(got) != 0 {
		t.Errorf("another account sees %d, %v", len(got), err)
	}
}

func TestDeliveries_PagesOfPendingAndEndedGiveEachOnceInOrder(t *testing.T) {
	b := setup(t)
	r := b.receiver(func(_ http.ResponseWriter, m message) int {
		return []int{http.StatusOK, http.StatusInternalServerError}[m.revision()%2]
	})
	one, _ := b.hook(r.URL)
	two, _ := b.hook(b.receiver(nil).URL)
	n := b.node(Config{Retries: []time.Duration{time.Hour}})
	var items []uuid.UUID
	for range 5 {
		items = append(items, uuid.New())
	}
	for round := range 4 { // the first of each item fails and waits, and the rest is parked behind it; of the other hook all succeed
		for _, item := range items {
			b.write(n, item, []change.Kind{change.Created, change.Updated}[min(round, 1)])
		}
	}
	b.eventually("all is as it will be", func() bool {
		return b.states(two)[stateSucceeded] == 20 && value[int](b, "SELECT count(*) FROM delivery WHERE attempts = 1") == 5 && b.states(one)[statePending] == 20
	})
	for _, size := range []int{1, 3, 7, 39, 40, 41} {
		var got []Delivery
		for next := ""; ; {
			page, following, err := b.service.Deliveries(b.ctx, DeliveryFilter{}, size, next)
			if err != nil || len(page) > size {
				t.Fatalf("%d deliveries, %v", len(page), err)
			}
			got = append(got, page...)
			if next = following; next == "" {
				break
			}
		}
		if len(got) != 40 {
			t.Errorf("by %d: %d deliveries", size, len(got))
		}
		for i := 1; i < len(got); i++ {
			if newestFirst(got[i-1], got[i]) >= 0 {
				t.Errorf("by %d: %v comes before %v", size, got[i-1], got[i])
			}
		}
	}
}

// What ends while it is listed is told once.
func TestDeliveries_WhatEndsMeanwhileIsToldOnce(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hook(r.URL)
	n := b.node(Config{})
	const changes = 300
	var writer sync.WaitGroup
	writer.Go(func() {
		for range changes {
			b.write(n, uuid.New(), change.Created)
		}
	})
	defer writer.Wait()
	for done := false; !done; {
		done = b.states(h)[stateSucceeded] == changes
		listed, _, err := b.service.Deliveries(b.ctx, DeliveryFilter{}, 200, "")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[uuid.UUID]bool{}
		for _, d := range listed {
			if seen[d.ID] {
				t.Fatalf("%+v is told twice", d)
			}
			seen[d.ID] = true
		}
	}
}
