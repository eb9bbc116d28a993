package dispatch

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/hooktest"
)

func TestDelivery_TheBodyIsTheDocumentAndHeadersNameTheEvent(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, secret := b.Hook(r.URL)
	n := b.node(Config{})
	item := uuid.New()
	b.write(n, item, change.Created, change.Updated, change.Deleted)
	b.record(n, change.Change{ItemID: item, Kind: change.Triggered, Trigger: change.TriggerManual,
		Targets: []uuid.UUID{h.ID}})

	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	wants := []struct {
		event, trigger, revision string
	}{{hook.ItemCreated, "hook", "1"}, {hook.ItemUpdated, "hook", "2"}, {hook.ItemDeleted, "hook", "3"},
		{hook.ItemTriggered, "manual", "3"}}
	for i, m := range r.AwaitCount(4) {
		if want := hooktest.DocumentOf(item, int64(m.Revision())); !bytes.Equal(m.Body, want) {
			t.Errorf("the body is %s, want %s", m.Body, want)
		}
		if err := verifier.Verify(m.Body, m.Header); err != nil {
			t.Errorf("verify: %v", err)
		}
		for name, want := range map[string]string{
			"Itemcast-Event":    wants[i].event,
			"Itemcast-Trigger":  wants[i].trigger,
			"Itemcast-Revision": wants[i].revision,
			"Itemcast-Cursor":   n.feed.Cursor(change.Position(i + 1)),
			"User-Agent":        "Itemcast/1.2.3",
			"Content-Type":      "application/json",
			"Idempotency-Key":   "",
		} {
			if got := m.Header.Get(name); got != want {
				t.Errorf("message %d: %s is %q, want %q", i, name, got, want)
			}
		}
		if trace := m.Header.Get("Traceparent"); !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`).MatchString(trace) {
			t.Errorf("traceparent is %q", trace)
		}
	}
	n.stop()
	if states := b.States(h); states[hooktest.Succeeded] != 4 || len(states) != 1 {
		t.Errorf("states: %v", states)
	}
}

func TestFanOut_SendsAHookOnlyWhatItAsksForOfItsAccount(t *testing.T) {
	b := setup(t)
	deletes, targeted, stranger, all := b.Receiver(nil), b.Receiver(nil), b.Receiver(nil), b.Receiver(nil)
	b.Hook(deletes.URL, hook.ItemDeleted)
	target, _ := b.Hook(targeted.URL, hook.ItemUpdated)
	b.Hook(all.URL)
	if _, _, err := b.Service.Create(hooktest.Managing(b.Ctx, b.NewAccount()),
		[]byte(`{"url":"`+stranger.URL+`"}`)); err != nil {
		t.Fatal(err)
	}
	n := b.node(Config{})
	item := uuid.New()
	b.write(n, item, change.Created, change.Deleted)
	b.record(n, change.Change{ItemID: item, Kind: change.Triggered, Trigger: change.TriggerManual,
		Targets: []uuid.UUID{target.ID}})
	b.write(n, item, change.Triggered)

	eventsOf := func(r *hooktest.Receiver) string {
		var events []string
		for _, m := range r.Messages() {
			events = append(events, m.Header.Get("Itemcast-Event"))
		}
		return strings.Join(events, " ")
	}
	all.AwaitCount(3)
	targeted.AwaitCount(1)
	deletes.AwaitCount(1)
	n.stop()
	for r, want := range map[*hooktest.Receiver]string{
		deletes: hook.ItemDeleted, targeted: hook.ItemTriggered, stranger: "",
		all: "item.created item.deleted item.triggered",
	} {
		if got := eventsOf(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestHook_ReceivesExactlyTheChangesCommittedAfterItsCreation(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	n := b.idleNode(Config{})
	sequenced, unsequenced, open, later := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	b.write(n, sequenced, change.Created)
	b.fanOutAll(n)
	inFlight := b.Begin(change.Change{ItemID: open, Kind: change.Created, Trigger: change.TriggerWrite})
	b.write(n, unsequenced, change.Created)
	b.Hook(r.URL)
	if err := inFlight.Commit(b.Ctx); err != nil {
		t.Fatal(err)
	}
	b.write(n, later, change.Created)

	b.node(Config{})
	got := map[string]bool{}
	for _, m := range r.AwaitCount(2) {
		got[string(m.Body)] = true
	}
	if len(got) != 2 || !got[string(hooktest.DocumentOf(open, 1))] || !got[string(hooktest.DocumentOf(later, 1))] {
		t.Errorf("got %v", got)
	}
}

func TestRetry_SendsTheSameBytesUnderTheSameID(t *testing.T) {
	b := setup(t)
	tries := 0
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		if tries++; tries < 3 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	b.Hook(r.URL)
	n := b.node(Config{Retries: retries(5, 5*time.Millisecond)})
	b.write(n, uuid.New(), change.Created)
	messages := r.AwaitCount(3)
	n.stop()
	if len(r.Messages()) != 3 {
		t.Errorf("there were %d attempts", len(r.Messages()))
	}
	for _, m := range messages[1:] {
		if m.ID() != messages[0].ID() || !bytes.Equal(m.Body, messages[0].Body) {
			t.Errorf("a retry sent %s %s, and the first %s %s", m.ID(), m.Body, messages[0].ID(), messages[0].Body)
		}
	}
	if got := value[int](b,
		"SELECT number FROM delivery_attempt WHERE closes AND outcome = 'succeeded' AND status = 200 AND error IS NULL"); got != 3 {
		t.Errorf("attempts: %d", got)
	}
}

func TestRetry_EndsAsFailedAndTheNextFollows(t *testing.T) {
	b := setup(t)
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int {
		if m.Revision() == 1 {
			return http.StatusBadGateway
		}
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	n := b.node(Config{Retries: retries(2, time.Millisecond)})
	b.write(n, uuid.New(), change.Created, change.Updated)
	messages := r.AwaitCount(4)
	n.stop()
	for i, want := range []int{1, 1, 1, 2} {
		if messages[i].Revision() != want {
			t.Errorf("message %d has revision %d, want %d", i, messages[i].Revision(), want)
		}
	}
	if states := b.States(h); states[hooktest.Failed] != 1 || states[hooktest.Succeeded] != 1 {
		t.Errorf("states: %v", states)
	}
	if fault := value[string](b,
		"SELECT error FROM delivery_attempt WHERE closes AND outcome = 'failed' AND status = 502"); fault != "The answer was 502 Bad Gateway" {
		t.Errorf("last_error: %s", fault)
	}
}

func TestGone_MakesTheHookInactiveAndFailsPendingDeliveries(t *testing.T) {
	b := setup(t)
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { return http.StatusGone })
	h, _ := b.Hook(r.URL)
	n := b.idleNode(Config{})
	b.write(n, uuid.New(), change.Created, change.Updated, change.Updated)
	b.fanOutAll(n)
	b.node(Config{})
	b.Eventually("the hook is inactive", func() bool {
		got, err := b.Service.Get(b.Ctx, h.ID)
		return err == nil && !got.Active && got.DisabledReason != nil && *got.DisabledReason == goneReason
	})
	b.Eventually("all has failed", func() bool {
		return b.States(h)[hooktest.Failed] == 3 &&
			b.States(h)[hooktest.Pending] == 0
	})
	if len(r.AwaitCount(1)) != 1 {
		t.Error("a message was sent after 410")
	}
}

func TestRefused_NamesTheRuleAndTheSetting(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(strings.Replace(r.URL, "127.0.0.1", "localhost", 1))
	n := b.idleNodeThat(Config{Retries: []time.Duration{}}, egress.Policy{})
	b.run(n)
	b.write(n, uuid.New(), change.Created)
	b.Eventually("a failed delivery", func() bool { return b.States(h)[hooktest.Failed] == 1 })
	fault := value[string](b, "SELECT error FROM delivery_attempt WHERE fault = 'refused_address'")
	if !strings.Contains(fault, "loopback address") || !strings.Contains(fault, "ITEMCAST_HOOK_ALLOW_NETWORKS") {
		t.Errorf("last_error: %s", fault)
	}
	if len(r.Messages()) != 0 {
		t.Error("the message arrived")
	}
}
