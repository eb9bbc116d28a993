package hook

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
)

func TestNodes_ShareWithoutDuplicates(t *testing.T) {
	b := setup(t)
	const changes = 300
	full := make(chan struct{})
	arrived := make(chan struct{}, 2*changes)
	r := b.receiver(func(http.ResponseWriter, message) int {
		arrived <- struct{}{}
		<-full // so that one node alone cannot do it all
		return http.StatusOK
	})
	h, _ := b.hook(r.URL)
	first, second := b.node(Config{Slots: 4}), b.node(Config{Slots: 4})
	for range changes {
		b.write(first, uuid.New(), change.Created)
	}
	for range 8 {
		select {
		case <-arrived:
		case <-time.After(patience):
			t.Fatal("the nodes do not use the slots of both")
		}
	}
	close(full)
	b.eventually("all delivered", func() bool { return b.states(h)[stateSucceeded] == changes })
	first.stop()
	second.stop()
	ids := map[string]int{}
	for _, m := range r.messages {
		ids[m.id()]++
	}
	if len(ids) != changes || len(r.messages) != changes {
		t.Errorf("%d messages with %d ids", len(r.messages), len(ids))
	}
}

// A node that is killed after it has sent and before it has written the result: nothing of it runs any more.
func TestCrash_BetweenSendAndResultSendsAgainUnderTheSameID(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hook(r.URL)
	dead := b.idleNode(Config{Timeout: 400 * time.Millisecond, Slack: 100 * time.Millisecond})
	b.write(dead, uuid.New(), change.Created, change.Updated)
	b.fanOutAll(dead)
	dead.Look(h.ID)
	hooks, free := dead.slots.reserve()
	claimed := dead.claim(b.ctx, dead.term(b.ctx), hooks, free)
	if len(claimed) != 1 {
		t.Fatalf("claimed %d of a line", len(claimed))
	}
	late := dead.post(b.ctx, claimed[0])
	if late.verdict != succeeded {
		t.Fatalf("sent: %+v", late)
	}

	n := b.node(Config{})
	messages := r.awaitCount(3)
	if messages[0].id() != messages[1].id() || !bytes.Equal(messages[0].body, messages[1].body) {
		t.Errorf("sent %s %s, and again %s %s", messages[0].id(), messages[0].body, messages[1].id(), messages[1].body)
	}
	if messages[2].revision() != 2 {
		t.Errorf("the next has revision %d", messages[2].revision())
	}
	n.stop()

	late.verdict = failed
	if err := dead.write([]outcome{late}); err != nil {
		t.Fatal(err)
	}
	if states := b.states(h); states[stateSucceeded] != 2 || len(states) != 1 {
		t.Errorf("a result counted whose claim had lapsed: %v", states)
	}
}

func TestClaims_OfADeadNodeAreTakenOver(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hook(r.URL)
	dead := b.idleNode(Config{Timeout: 100 * time.Millisecond, Slack: 100 * time.Millisecond})
	for range 10 {
		b.write(dead, uuid.New(), change.Created)
	}
	b.fanOutAll(dead)
	dead.Look(h.ID)
	if claimed := dead.claim(b.ctx, dead.term(b.ctx), []uuid.UUID{h.ID}, reserveAll(dead)); len(claimed) != 10 {
		t.Fatalf("claimed %d", len(claimed))
	}
	b.node(Config{})
	r.awaitCount(10)
	b.eventually("all delivered", func() bool { return b.states(h)[stateSucceeded] == 10 })
}

func reserveAll(n *node) []int32 { _, free := n.slots.reserve(); return free }

func TestPost_AfterTheClaimHasLapsedIsNotSent(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hook(r.URL)
	frozen := b.idleNode(Config{})
	b.write(frozen, uuid.New(), change.Created)
	b.fanOutAll(frozen)
	frozen.Look(h.ID)
	claimed := frozen.claim(b.ctx, frozen.term(b.ctx), []uuid.UUID{h.ID}, reserveAll(frozen))
	claimed[0].expires = time.Now().Add(frozen.config.Slack)
	if o := frozen.post(b.ctx, claimed[0]); o.verdict != returned || len(r.messages) != 0 {
		t.Errorf("%+v, %d messages", o, len(r.messages))
	}
}

func TestStop_LetsPostsFinishAndGivesBackTheRest(t *testing.T) {
	b := setup(t)
	arrived, finish, end := make(chan struct{}, 2), make(chan struct{}), make(chan struct{})
	quick := b.receiver(func(http.ResponseWriter, message) int { arrived <- struct{}{}; <-finish; return http.StatusOK })
	endless := b.receiver(func(http.ResponseWriter, message) int { arrived <- struct{}{}; <-end; return http.StatusOK })
	t.Cleanup(func() { close(end) })
	quickHook, _ := b.hook(quick.URL)
	endlessHook, _ := b.hook(endless.URL)
	n := b.node(Config{Grace: 300 * time.Millisecond})
	b.write(n, uuid.New(), change.Created)
	<-arrived
	<-arrived
	time.AfterFunc(50*time.Millisecond, func() { close(finish) })
	n.stop()
	if states := b.states(quickHook); states[stateSucceeded] != 1 {
		t.Errorf("the one that finished: %v", states)
	}
	if !value[bool](b, "SELECT claim IS NULL AND claimed_to IS NULL AND due_at <= clock_timestamp() AND attempts = 0 FROM delivery WHERE hook_id = $1",
		endlessHook.ID) {
		t.Error("the one that did not finish was not given back")
	}
}

func TestDelete_DropsWhatIsPending(t *testing.T) {
	b := setup(t)
	r := b.receiver(func(http.ResponseWriter, message) int { return http.StatusInternalServerError })
	h, _ := b.hook(r.URL)
	n := b.node(Config{})
	b.write(n, uuid.New(), change.Created, change.Updated)
	r.awaitCount(1)
	if err := b.service.Delete(b.ctx, h.ID); err != nil {
		t.Fatal(err)
	}
	b.eventually("nothing is left of it", func() bool { return len(b.states(h)) == 0 && value[int](b, "SELECT count(*) FROM hook") == 0 })
	alive := b.receiver(nil)
	b.hook(alive.URL)
	b.write(n, uuid.New(), change.Created)
	alive.awaitCount(1) // the dispatcher goes on
}
