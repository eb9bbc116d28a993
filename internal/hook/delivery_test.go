package hook

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
	"itemcast/internal/hook/egress"
)

func TestDelivery_BodyIsTheDocumentAndHeadersTellTheEvent(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, secret := b.hook(r.URL)
	n := b.node(Config{})
	item := uuid.New()
	b.write(n, item, change.Created, change.Updated, change.Deleted)
	b.record(n, change.Change{ItemID: item, Kind: change.Triggered, Trigger: change.TriggerManual, Targets: []uuid.UUID{h.ID}})

	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	wants := []struct {
		event, trigger, revision string
	}{{ItemCreated, "hook", "1"}, {ItemUpdated, "hook", "2"}, {ItemDeleted, "hook", "3"}, {ItemTriggered, "manual", "3"}}
	for i, m := range r.awaitCount(4) {
		if want := documentOf(item, int64(m.revision())); !bytes.Equal(m.body, want) {
			t.Errorf("the body is %s, want %s", m.body, want)
		}
		if err := verifier.Verify(m.body, m.header); err != nil {
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
			if got := m.header.Get(name); got != want {
				t.Errorf("message %d: %s is %q, want %q", i, name, got, want)
			}
		}
		if trace := m.header.Get("Traceparent"); !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`).MatchString(trace) {
			t.Errorf("traceparent is %q", trace)
		}
	}
	n.stop()
	if states := b.states(h); states[stateSucceeded] != 4 || len(states) != 1 {
		t.Errorf("states: %v", states)
	}
}

func TestFanOut_SendsEachHookOnlyWhatItAsksForAndOnlyItsAccounts(t *testing.T) {
	b := setup(t)
	deletes, targeted, stranger, all := b.receiver(nil), b.receiver(nil), b.receiver(nil), b.receiver(nil)
	b.hook(deletes.URL, ItemDeleted)
	target, _ := b.hook(targeted.URL, ItemUpdated)
	b.hook(all.URL)
	if _, _, err := b.service.Create(acting(b.ctx, b.newAccount()), []byte(`{"url":"`+stranger.URL+`"}`)); err != nil {
		t.Fatal(err)
	}
	n := b.node(Config{})
	item := uuid.New()
	b.write(n, item, change.Created, change.Deleted)
	b.record(n, change.Change{ItemID: item, Kind: change.Triggered, Trigger: change.TriggerManual, Targets: []uuid.UUID{target.ID}})
	b.write(n, item, change.Triggered)

	eventsOf := func(r *receiver) string {
		var events []string
		for _, m := range r.messages {
			events = append(events, m.header.Get("Itemcast-Event"))
		}
		return strings.Join(events, " ")
	}
	all.awaitCount(3)
	targeted.awaitCount(1)
	deletes.awaitCount(1)
	n.stop()
	for r, want := range map[*receiver]string{
		deletes: ItemDeleted, targeted: ItemTriggered, stranger: "", all: "item.created item.deleted item.triggered",
	} {
		if got := eventsOf(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestHook_GetsExactlyWhatIsCommittedAfterItsCreation(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	n := b.idleNode(Config{})
	sequenced, unsequenced, open, later := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	b.write(n, sequenced, change.Created)
	b.fanOutAll(n)
	inFlight := b.begin(change.Change{ItemID: open, Kind: change.Created, Trigger: change.TriggerWrite})
	b.write(n, unsequenced, change.Created)
	b.hook(r.URL)
	if err := inFlight.Commit(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.write(n, later, change.Created)

	b.node(Config{})
	got := map[string]bool{}
	for _, m := range r.awaitCount(2) {
		got[string(m.body)] = true
	}
	if len(got) != 2 || !got[string(documentOf(open, 1))] || !got[string(documentOf(later, 1))] {
		t.Errorf("got %v", got)
	}
}

func TestRetry_SendsTheSameBytesUnderTheSameID(t *testing.T) {
	b := setup(t)
	tries := 0
	r := b.receiver(func(http.ResponseWriter, message) int {
		if tries++; tries < 3 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	b.hook(r.URL)
	n := b.node(Config{Retries: retries(5, 5*time.Millisecond)})
	b.write(n, uuid.New(), change.Created)
	messages := r.awaitCount(3)
	n.stop()
	if len(r.messages) != 3 {
		t.Errorf("there were %d attempts", len(r.messages))
	}
	for _, m := range messages[1:] {
		if m.id() != messages[0].id() || !bytes.Equal(m.body, messages[0].body) {
			t.Errorf("a retry sent %s %s, and the first %s %s", m.id(), m.body, messages[0].id(), messages[0].body)
		}
	}
	if got := value[int](b, "SELECT number FROM delivery_attempt WHERE closes AND outcome = 'succeeded' AND status = 200 AND error IS NULL"); got != 3 {
		t.Errorf("attempts: %d", got)
	}
}

func TestRetry_EndsVisiblyAsFailedAndLetsTheNextPass(t *testing.T) {
	b := setup(t)
	r := b.receiver(func(_ http.ResponseWriter, m message) int {
		if m.revision() == 1 {
			return http.StatusBadGateway
		}
		return http.StatusOK
	})
	h, _ := b.hook(r.URL)
	n := b.node(Config{Retries: retries(2, time.Millisecond)})
	b.write(n, uuid.New(), change.Created, change.Updated)
	messages := r.awaitCount(4)
	n.stop()
	for i, want := range []int{1, 1, 1, 2} {
		if messages[i].revision() != want {
			t.Errorf("message %d has revision %d, want %d", i, messages[i].revision(), want)
		}
	}
	if states := b.states(h); states[stateFailed] != 1 || states[stateSucceeded] != 1 {
		t.Errorf("states: %v", states)
	}
	if fault := value[string](b, "SELECT error FROM delivery_attempt WHERE closes AND outcome = 'failed' AND status = 502"); fault != "The answer was 502 Bad Gateway" {
		t.Errorf("last_error: %s", fault)
	}
}

func TestGone_DisablesTheHookAtOnceAndFailsWhatWaits(t *testing.T) {
	b := setup(t)
	r := b.receiver(func(http.ResponseWriter, message) int { return http.StatusGone })
	h, _ := b.hook(r.URL)
	n := b.idleNode(Config{})
	b.write(n, uuid.New(), change.Created, change.Updated, change.Updated)
	b.fanOutAll(n)
	b.node(Config{})
	b.eventually("the hook is inactive", func() bool {
		got, err := b.service.Get(b.ctx, h.ID)
		return err == nil && !got.Active && got.DisabledReason != nil && *got.DisabledReason == goneReason
	})
	b.eventually("all has failed", func() bool { return b.states(h)[stateFailed] == 3 && b.states(h)[statePending] == 0 })
	if len(r.awaitCount(1)) != 1 {
		t.Error("more was sent after 410")
	}
}

func TestRefused_NamesTheRuleAndTheSetting(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hook(strings.Replace(r.URL, "127.0.0.1", "localhost", 1))
	n := b.idleNodeThat(Config{Retries: []time.Duration{}}, egress.Policy{})
	b.run(n)
	b.write(n, uuid.New(), change.Created)
	b.eventually("a failed delivery", func() bool { return b.states(h)[stateFailed] == 1 })
	fault := value[string](b, "SELECT error FROM delivery_attempt WHERE fault = 'refused_address'")
	if !strings.Contains(fault, "loopback address") || !strings.Contains(fault, "ITEMCAST_HOOK_ALLOW_NETWORKS") {
		t.Errorf("last_error: %s", fault)
	}
	if len(r.messages) != 0 {
		t.Error("it was sent all the same")
	}
}
