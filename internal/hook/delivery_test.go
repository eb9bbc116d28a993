package hook_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/dispatch"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/hook/sending"
	"itemcast/internal/porttest"
	"itemcast/internal/problem"
)

// delivery reads the delivery of a message.
func (b *bundle) delivery(m hooktest.Message) (hook.Delivery, []hook.Attempt) {
	b.T.Helper()
	d, attempts, err := b.Service.Delivery(b.Ctx, uuid.MustParse(m.ID()))
	if err != nil {
		b.T.Fatal(err)
	}
	return d, attempts
}

func (b *bundle) redeliver(m hooktest.Message) hook.Delivery {
	b.T.Helper()
	d, err := b.Service.Redeliver(b.Ctx, uuid.MustParse(m.ID()))
	if err != nil {
		b.T.Fatal(err)
	}
	return d
}

func TestAttempts_ShowTheResponseAndTheTimeOfTheNext(t *testing.T) {
	b := setup(t)
	long := strings.Repeat("é", 4000)
	tries := 0
	r := b.Receiver(func(w http.ResponseWriter, _ hooktest.Message) int {
		tries++
		if tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, long)
			return 0
		}
		w.Header().Set("Retry-After", "3600")
		return http.StatusTooManyRequests
	})
	h, _ := b.Hook(r.URL)
	n := b.node(dispatch.Config{Retries: []time.Duration{time.Millisecond, time.Minute, time.Minute}})
	begun := time.Now()
	b.write(n, uuid.New(), change.Created, change.Updated)
	first := r.AwaitCount(2)[0]
	b.Eventually("both attempts are written", func() bool { d, _ := b.delivery(first); return d.Attempts == 2 })
	d, attempts := b.delivery(first)
	if d.State != hook.Pending || *d.WaitsFor != hook.ForRetry || d.Event != hook.ItemCreated ||
		d.Trigger != "hook" || d.Revision != 1 || d.HookID != h.ID ||
		d.Cursor != first.Header.Get("Itemcast-Cursor") || *d.LastStatus != http.StatusTooManyRequests ||
		*d.LastFault != string(sending.Status) ||
		*d.LastError != "The answer was 429 Too Many Requests" || d.LastAttemptAt == nil || d.OccurredAt == nil {
		t.Errorf("the delivery is %+v", d)
	}
	if wait := d.NextAttemptAt.Sub(*d.LastAttemptAt); wait < 59*time.Minute || wait > 61*time.Minute {
		t.Errorf("the next attempt is in %s, want an hour, as Retry-After says", wait)
	}
	for i, a := range attempts {
		if a.Number != i+1 || a.Succeeded || a.Trigger != "hook" || a.At.Before(begun.Add(-time.Second)) ||
			a.Duration == nil || *a.Duration <= 0 || *a.Duration > hooktest.Timeout {
			t.Errorf("attempt %d is %+v", i+1, a)
		}
	}
	if a := attempts[0]; *a.Status != http.StatusServiceUnavailable || *a.Fault != string(sending.Status) ||
		*a.Error != "The answer was 503 Service Unavailable" ||
		a.Response == nil || len(*a.Response) != 4096 || !strings.HasPrefix(long, *a.Response) {
		t.Errorf("the first attempt is %+v", a)
	}
	if a := attempts[1]; a.Response != nil {
		t.Errorf("the second attempt is %+v", a)
	}
	listed, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{State: hook.Pending}, 10, "")
	if err != nil || len(listed) != 2 || *listed[0].WaitsFor != hook.ForEarlier || listed[0].NextAttemptAt != nil ||
		fmt.Sprint(listed[1].ID) != first.ID() {
		t.Errorf("listed %+v, %v", listed, err)
	}
}

func TestAttempts_ShowThatAnEndpointDidNotAnswer(t *testing.T) {
	b := setup(t)
	b.Hook("http://" + porttest.Reserve(t) + "/")
	n := b.node(dispatch.Config{Retries: []time.Duration{}})
	b.write(n, uuid.New(), change.Created)
	b.Eventually("it has failed", func() bool {
		return value[int](b, "SELECT count(*) FROM delivery_attempt WHERE closes AND outcome = 'failed'") == 1
	})
	listed, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{State: hook.Failed}, 10, "")
	if err != nil || len(listed) != 1 {
		t.Fatalf("%+v, %v", listed, err)
	}
	if d := listed[0]; d.LastStatus != nil || *d.LastFault != string(sending.Connect) ||
		!strings.HasPrefix(*d.LastError, "Nothing listens at 127.0.0.1:") || d.WaitsFor != nil ||
		d.NextAttemptAt != nil {
		t.Errorf("the delivery is %+v", d)
	}
}

func TestRedeliver_AnEndedDeliveryKeepsItsIDAndBytesAndRestartsItsSchedule(t *testing.T) {
	b := setup(t)
	r, answer := b.Answering(http.StatusInternalServerError)
	h, secret := b.Hook(r.URL)
	n := b.node(dispatch.Config{Retries: retries(1, time.Millisecond)})
	b.write(n, uuid.New(), change.Created)
	b.Eventually("it has failed", func() bool { return b.States(h)[hooktest.Failed] == 1 })
	first := r.AwaitCount(2)[0]

	again := b.redeliver(first)
	if again.State != hook.Pending || again.ID.String() != first.ID() || again.Attempts != 2 ||
		again.Trigger != change.TriggerManual || again.Revision != 1 || again.Event != hook.ItemCreated {
		t.Errorf("redelivered, it is %+v", again)
	}
	b.Eventually("it has failed again, after a retry", func() bool {
		return b.States(h)[hooktest.Failed] == 1 && value[int](b, "SELECT count(*) FROM delivery_attempt") == 4
	})
	answer.Store(http.StatusOK)
	b.redeliver(first)
	b.Eventually("it is delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	b.redeliver(first) // also one that has succeeded
	messages := r.AwaitCount(6)
	b.Eventually("it is delivered again", func() bool {
		return value[int](b, "SELECT count(*) FROM delivery_attempt") == 6 && len(b.States(h)) == 1
	})
	for i, m := range messages {
		trigger := change.TriggerWrite
		if i > 1 {
			trigger = change.TriggerManual
		}
		if m.ID() != first.ID() || !bytes.Equal(m.Body, first.Body) || m.Header.Get("Itemcast-Trigger") != trigger ||
			m.Header.Get("Itemcast-Cursor") != first.Header.Get("Itemcast-Cursor") ||
			m.Header.Get("Itemcast-Occurred-At") != first.Header.Get("Itemcast-Occurred-At") {
			t.Errorf("message %d is %s %v", i, m.Body, m.Header)
		}
		m.Verify(t, secret)
	}
	d, attempts := b.delivery(first)
	if d.State != hook.Succeeded || d.Attempts != 6 || d.LastError != nil || d.Trigger != change.TriggerManual {
		t.Errorf("the delivery is %+v", d)
	}
	for i, a := range attempts {
		if a.Number != i+1 || a.Succeeded != (i > 3) {
			t.Errorf("attempt %d is %+v", i+1, a)
		}
	}
	if listed, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{}, 10, ""); err != nil || len(listed) != 1 {
		t.Errorf("listed %+v, %v", listed, err)
	}
}

func TestRedeliver_APendingDeliveryIsDueAtOnceUnlessItIsBeingSentOrParked(t *testing.T) {
	b := setup(t)
	arrived, answer := make(chan hooktest.Message, 10), make(chan int, 10)
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int { arrived <- m; return <-answer })
	h, _ := b.Hook(r.URL)
	n := b.node(dispatch.Config{Quick: -1, Retries: retries(3, time.Hour)})
	b.write(n, uuid.New(), change.Created, change.Updated)
	first := <-arrived
	conflict := func(what string, id uuid.UUID, words string) {
		t.Helper()
		if _, err := b.Service.Redeliver(b.Ctx, id); !problem.Is(err, problem.Conflict) ||
			!strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", what, err)
		}
	}
	conflict("one that is being sent", uuid.MustParse(first.ID()), "being sent")
	b.Eventually("the second is pending", func() bool { return b.States(h)[hooktest.Pending] == 2 })
	parked := value[uuid.UUID](b, "SELECT id FROM delivery WHERE due_at IS NULL")
	conflict("one that waits for an earlier one", parked, "waits behind the delivery "+first.ID())
	answer <- http.StatusInternalServerError
	b.Eventually("it waits for its retry", func() bool {
		d,
			_ := b.delivery(first)
		return *d.WaitsFor == hook.ForRetry
	})
	if d := b.redeliver(first); *d.WaitsFor == hook.ForRetry || d.Attempts != 1 || d.Trigger != change.TriggerManual {
		t.Errorf("redelivered, it is %+v", d)
	}
	if m := <-arrived; m.ID() != first.ID() || m.Header.Get("Itemcast-Trigger") != change.TriggerManual {
		t.Errorf("the next message is %v", m.Header)
	}
	answer <- http.StatusInternalServerError
	b.Eventually("the schedule has restarted", func() bool {
		d, _ := b.delivery(first)
		return d.Attempts == 2 &&
			*d.WaitsFor == hook.ForRetry
	})
	b.Patch(h, `{"active":false}`)
	b.Eventually("all has failed", func() bool { return b.States(h)[hooktest.Failed] == 2 })
	conflict("one of an inactive hook", parked, "inactive")
	b.Patch(h, `{"active":true}`)
	b.Exec("DELETE FROM item_change WHERE revision = 2")
	conflict("one whose change has left the log", parked, "has left the log")
	for name, id := range map[string]uuid.UUID{"an unknown id": uuid.New(), "a similar id": {0, 0, 0, 0, 0, 1, 1}} {
		if _, err := b.Service.Redeliver(b.Ctx, id); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stranger := hooktest.Managing(b.Ctx, b.NewAccount())
	if _, err := b.Service.Redeliver(stranger, uuid.MustParse(first.ID())); !problem.Is(err, problem.NotFound) {
		t.Errorf("another account's: %v", err)
	}
}

// A claim that comes between the look at a delivery and its update wins, and the caller is told.
func TestRedeliver_ADeliveryThatIsClaimedMeanwhileIsBeingSent(t *testing.T) {
	b := setup(t)
	r, _ := b.Answering(http.StatusInternalServerError)
	h, _ := b.Hook(r.URL)
	n := b.node(dispatch.Config{Retries: retries(3, time.Hour)})
	b.write(n, uuid.New(), change.Created)
	id := uuid.MustParse(r.AwaitCount(1)[0].ID())
	b.Eventually("it waits for its retry", func() bool {
		return b.States(h)[hooktest.Pending] == 1 &&
			value[bool](b, "SELECT count(*) = 1 FROM delivery_attempt")
	})
	claim, err := b.Pool.Begin(b.Ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = claim.Rollback(context.Background()) }()
	const take = "UPDATE delivery SET claim = gen_random_uuid(), claimed_to = now() + interval '1 hour', node = 1"
	if _, err := claim.Exec(b.Ctx, take); err != nil {
		t.Fatal(err)
	}
	redelivered := make(chan error, 1)
	go func() {
		_, err := b.Service.Redeliver(b.Ctx, id)
		redelivered <- err
	}()
	b.Eventually("the redelivery waits for the claim's row", func() bool {
		return value[bool](b, `SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'
			AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`)
	})
	if err := claim.Commit(b.Ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-redelivered; !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "being sent") {
		t.Errorf("got %v", err)
	}
}

// An older change that is redelivered waits for a newer one that is being sent. The group continues after it.
func TestRedeliver_JoinsItsGroup(t *testing.T) {
	b := setup(t)
	arrived, answer := make(chan hooktest.Message, 10), make(chan int, 10)
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int { arrived <- m; return <-answer })
	h, _ := b.Hook(r.URL)
	n := b.node(dispatch.Config{Quick: -1}) // everything goes through the queue
	item := uuid.New()
	b.write(n, item, change.Created)
	first := <-arrived
	answer <- http.StatusOK
	b.Eventually("it is delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	b.write(n, item, change.Updated)
	<-arrived
	if d := b.redeliver(first); *d.WaitsFor != hook.ForEarlier {
		t.Errorf("it is %+v", d)
	}
	answer <- http.StatusOK
	if m := <-arrived; m.ID() != first.ID() {
		t.Errorf("the next message is %v", m.Header)
	}
	answer <- http.StatusOK
	b.Eventually("both are done", func() bool { return b.States(h)[hooktest.Succeeded] == 2 })
}

// An older change that is redelivered goes before a newer one that waits for its retry, so that the receiver ends with the
// newer one.
func TestRedeliver_GoesBeforeALaterOneThatWaits(t *testing.T) {
	b := setup(t)
	r, answer := b.Answering(http.StatusOK)
	h, _ := b.Hook(r.URL)
	n := b.node(dispatch.Config{Quick: -1, Retries: retries(3, time.Hour)})
	item := uuid.New()
	b.write(n, item, change.Created)
	first := r.AwaitCount(1)[0]
	b.Eventually("it is delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	answer.Store(http.StatusInternalServerError)
	b.write(n, item, change.Updated)
	b.Eventually("the second waits for its retry", func() bool {
		return value[bool](b, "SELECT count(*) > 0 FROM delivery WHERE attempts = 1 AND claim IS NULL")
	})
	answer.Store(http.StatusOK)
	if d := b.redeliver(first); *d.WaitsFor == hook.ForEarlier {
		t.Errorf("it is %+v", d)
	}
	b.Eventually("both are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 2 })
	if got := r.Events(); got != "created1 updated2 created1 updated2" {
		t.Errorf("sent %s", got)
	}
}

func TestDeliveries_AreFilteredByHookItemStateAndTime(t *testing.T) {
	b := setup(t)
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int {
		if m.Revision() == 2 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	fails, _ := b.Hook(r.URL)
	works, _ := b.Hook(b.Receiver(nil).URL)
	n := b.node(dispatch.Config{Retries: []time.Duration{}})
	one, two := uuid.New(), uuid.New()
	start := time.Now().Add(-time.Hour).Truncate(time.Second)
	for i, item := range []uuid.UUID{one, two, one, two} {
		kind := change.Created
		if i > 1 {
			kind = change.Updated
		}
		b.record(n, change.Change{ItemID: item, Kind: kind, Trigger: change.TriggerWrite,
			OccurredAt: start.Add(time.Duration(i) * time.Minute)})
	}
	b.Eventually("all have ended", func() bool {
		return b.States(fails)[hooktest.Failed] == 2 &&
			b.States(works)[hooktest.Succeeded] == 4
	})
	b.Eventually("the feed of the node has read them", func() bool { return n.feed.Head() == 4 })
	b.serveOn(n)
	at := func(minute int) *time.Time { return new(start.Add(time.Duration(minute) * time.Minute)) }
	for name, c := range map[string]struct {
		filter hook.DeliveryFilter
		want   int
	}{
		"all": {hook.DeliveryFilter{}, 8}, "hook": {hook.DeliveryFilter{Hook: &fails.ID}, 4}, "item": {hook.DeliveryFilter{Item: &one}, 4}, "failed": {hook.DeliveryFilter{State: hook.Failed}, 2},
		"succeeded": {hook.DeliveryFilter{State: hook.Succeeded}, 6}, "pending": {hook.DeliveryFilter{State: hook.Pending}, 0}, "item and state": {hook.DeliveryFilter{Item: &two, State: hook.Failed}, 1},
		"all three": {hook.DeliveryFilter{Hook: &works.ID, Item: &two, State: hook.Failed}, 0}, "hook, state": {hook.DeliveryFilter{Hook: &fails.ID, State: hook.Succeeded}, 2},
		"from": {hook.DeliveryFilter{OccurredAfter: at(2)}, 4}, "until": {hook.DeliveryFilter{OccurredBefore: at(1)}, 2}, "between": {hook.DeliveryFilter{OccurredAfter: at(1), OccurredBefore: at(3)}, 4},
		"item, from": {hook.DeliveryFilter{Item: &one, OccurredAfter: at(1)}, 2}, "failed, until": {hook.DeliveryFilter{State: hook.Failed, OccurredBefore: at(3)}, 1},
		"later": {hook.DeliveryFilter{OccurredAfter: at(9)}, 0}, "another item": {hook.DeliveryFilter{Item: new(uuid.New())}, 0},
	} {
		got, next, err := b.Service.Deliveries(b.Ctx, c.filter, 100, "")
		if err != nil || len(got) != c.want || next != "" {
			t.Errorf("%s: %d, want %d; %q, %v", name, len(got), c.want, next, err)
		}
	}
	if _, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{Hook: new(uuid.New())}, 10, ""); !problem.Is(err,
		problem.NotFound) {
		t.Errorf("no hook: %v", err)
	}
	for _, token := range []string{"x", strings.Repeat("A", 32) + "=", strings.Repeat("_", 32)} {
		if _, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{}, 10, token); !problem.Is(err,
			problem.InvalidPageToken) {
			t.Errorf("the page token %s: %v", token, err)
		}
	}
	if got, _, err := b.Service.Deliveries(hooktest.Managing(b.Ctx, b.NewAccount()), hook.DeliveryFilter{}, 10,
		""); err != nil || len(got) != 0 {
		t.Errorf("another account sees %d, %v", len(got), err)
	}
}

func TestDeliveries_PagesHaveEachDeliveryOnceInOrder(t *testing.T) {
	b := setup(t)
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int {
		return []int{http.StatusOK, http.StatusInternalServerError}[m.Revision()%2]
	})
	one, _ := b.Hook(r.URL)
	two, _ := b.Hook(b.Receiver(nil).URL)
	n := b.node(dispatch.Config{Retries: []time.Duration{time.Hour}})
	var items []uuid.UUID
	for range 5 {
		items = append(items, uuid.New())
	}
	// At one hook, the first delivery of each item fails, and the rest is parked behind it. At the other, all
	// succeed.
	for round := range 4 {
		for _, item := range items {
			b.write(n, item, []change.Kind{change.Created, change.Updated}[min(round, 1)])
		}
	}
	b.Eventually("all deliveries are in their last state", func() bool {
		return b.States(two)[hooktest.Succeeded] == 20 && value[int](b,
			"SELECT count(*) FROM delivery WHERE attempts = 1") == 5 && b.States(one)[hooktest.Pending] == 20
	})
	for _, size := range []int{1, 3, 7, 39, 40, 41} {
		var got []hook.Delivery
		for next := ""; ; {
			page, following, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{}, size, next)
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
			if hook.NewestFirst(got[i-1], got[i]) >= 0 {
				t.Errorf("by %d: %v comes before %v", size, got[i-1], got[i])
			}
		}
	}
}

func TestDeliveries_ADeliveryThatEndsMeanwhileIsListedOnce(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	n := b.node(dispatch.Config{})
	const changes = 300
	var writer sync.WaitGroup
	writer.Go(func() {
		for range changes {
			b.write(n, uuid.New(), change.Created)
		}
	})
	defer writer.Wait()
	for done := false; !done; {
		done = b.States(h)[hooktest.Succeeded] == changes
		listed, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{}, 200, "")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[uuid.UUID]bool{}
		for _, d := range listed {
			if seen[d.ID] {
				t.Fatalf("%+v is listed twice", d)
			}
			seen[d.ID] = true
		}
	}
}
