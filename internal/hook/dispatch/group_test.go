package dispatch

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook/hooktest"
)

func TestGroup_IsInOrderWhateverFailsOnAnyNode(t *testing.T) {
	b := setup(t)
	const items, revisions = 12, 15
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		if rand.IntN(4) == 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	config := Config{Retries: retries(1000, 2*time.Millisecond), Slots: 8}
	n, second := b.node(config), b.node(config)
	var writers sync.WaitGroup
	for range items {
		writers.Go(func() {
			item := uuid.New()
			b.write(n, item, change.Created)
			for range revisions - 1 {
				b.write(n, item, change.Updated)
			}
		})
	}
	writers.Wait()
	b.Eventually("all are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == items*revisions })
	n.stop()
	second.stop()

	done := map[string]int{} // the last revision that succeeded, by what the documents of an item have in common
	for _, m := range r.Messages() {
		_, item, _ := strings.Cut(string(m.Body), `"id"`)
		if m.Revision() != done[item]+1 {
			t.Fatalf("revision %d was sent after %d had succeeded", m.Revision(), done[item])
		}
		if m.Status == http.StatusOK {
			done[item] = m.Revision()
		}
	}
	if len(done) != items {
		t.Errorf("%d items were delivered", len(done))
	}
}

func TestGroup_ThatFailsDoesNotDelayOtherItems(t *testing.T) {
	b := setup(t)
	stuck := uuid.New()
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int {
		if bytes.Contains(m.Body, []byte(stuck.String())) {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	n := b.node(Config{Retries: retries(5, time.Hour)})
	b.write(n, stuck, change.Created, change.Updated, change.Updated)
	for range 20 {
		b.write(n, uuid.New(), change.Created)
	}
	b.Eventually("the others are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 20 })
	n.stop()
	if states := b.States(h); states[hooktest.Pending] != 3 {
		t.Errorf("states: %v", states)
	}
	if parked := value[int](b, "SELECT count(*) FROM delivery WHERE due_at IS NULL"); parked != 2 {
		t.Errorf("parked: %d", parked)
	}
}

// Without the lock of the groups, a delivery could be parked behind one that is just being finished.
func TestGroup_NeverStallsBetweenFanOutAndResults(t *testing.T) {
	b := setup(t)
	const changes = 400
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	n := b.node(Config{})
	item := uuid.New()
	b.write(n, item, change.Created)
	for i := range changes - 1 {
		b.write(n, item, change.Updated)
		if i%7 == 0 { // now and then the group is empty when the next one comes
			r.AwaitCount(i + 1)
		}
	}
	for i, m := range r.AwaitCount(changes) {
		if m.Revision() != i+1 {
			t.Fatalf("message %d has revision %d", i, m.Revision())
		}
	}
	n.stop()
	if states := b.States(h); states[hooktest.Succeeded] != changes {
		t.Errorf("states: %v", states)
	}
}

func TestDeadEndpoint_CostsOthersNothing(t *testing.T) {
	b := setup(t)
	end := make(chan struct{})
	dead := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { <-end; return http.StatusOK })
	t.Cleanup(func() { close(end) })
	alive := b.Receiver(nil)
	deadHook, _ := b.Hook(dead.URL)
	aliveHook, _ := b.Hook(alive.URL)
	n := b.node(Config{Slots: 4, Grace: time.Millisecond, Timeout: hooktest.Timeout})
	for range 100 {
		b.write(n, uuid.New(), change.Created)
	}
	alive.AwaitCount(100)
	b.Eventually("all are delivered", func() bool { return b.States(aliveHook)[hooktest.Succeeded] == 100 })
	if states := b.States(deadHook); states[hooktest.Pending] != 100 {
		t.Errorf("the dead hook has the states %v", states)
	}
	b.Eventually("the dead hook has a claim for each of its slots", func() bool {
		return value[int](b, "SELECT count(*) FROM delivery WHERE hook_id = $1 AND claim IS NOT NULL", deadHook.ID) == 4
	})
}
