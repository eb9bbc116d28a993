package dispatch

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook/hooktest"
)

func TestNodes_ShareTheWorkWithoutDuplicates(t *testing.T) {
	b := setup(t)
	const changes = 300
	full := make(chan struct{})
	arrived := make(chan struct{}, 2*changes)
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		arrived <- struct{}{}
		<-full // so that one node alone cannot send them all
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	config := Config{Slots: 4, Timeout: hooktest.Timeout} // no post ends before the receiver answers
	first, second := b.node(config), b.node(config)
	for range changes {
		b.write(first, uuid.New(), change.Created)
	}
	for range 8 {
		select {
		case <-arrived:
		case <-time.After(hooktest.Timeout):
			t.Fatal("the nodes do not use the slots of both")
		}
	}
	close(full)
	b.Eventually("all are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == changes })
	first.stop()
	second.stop()
	ids := map[string]int{}
	for _, m := range r.Messages() {
		ids[m.ID()]++
	}
	if len(ids) != changes || len(r.Messages()) != changes {
		t.Errorf("%d messages with %d ids", len(r.Messages()), len(ids))
	}
}

// A node is killed after it has sent and before it has written the result.
func TestCrash_BetweenSendAndResultRepeatsUnderTheSameID(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	dead := b.idleNode(Config{})
	b.write(dead, uuid.New(), change.Created, change.Updated)
	b.fanOutAll(dead)
	dead.Wake(h.ID)
	hooks, free := dead.slots.reserve()
	claimed := dead.claim(b.Ctx, dead.term(b.Ctx), hooks, free)
	if len(claimed) != 1 {
		t.Fatalf("claimed %d of a group", len(claimed))
	}
	late := dead.post(b.Ctx, claimed[0])
	if late.verdict != succeeded {
		t.Fatalf("sent: %+v", late)
	}

	b.expireClaims()
	n := b.node(Config{})
	messages := r.AwaitCount(3)
	if messages[0].ID() != messages[1].ID() || !bytes.Equal(messages[0].Body, messages[1].Body) {
		t.Errorf("sent %s %s, and again %s %s", messages[0].ID(), messages[0].Body, messages[1].ID(), messages[1].Body)
	}
	if messages[2].Revision() != 2 {
		t.Errorf("the next has revision %d", messages[2].Revision())
	}
	n.stop()

	late.verdict = failed
	if err := dead.write([]outcome{late}); err != nil {
		t.Fatal(err)
	}
	if states := b.States(h); states[hooktest.Succeeded] != 2 || len(states) != 1 {
		t.Errorf("a result counted although its claim had expired: %v", states)
	}
}

// expireClaims makes claims expire, as time would.
func (b *bundle) expireClaims() {
	b.T.Helper()
	b.Exec("UPDATE delivery SET claimed_to = clock_timestamp() WHERE claim IS NOT NULL")
}

func TestClaims_OfADeadNodeAreTakenOver(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	dead := b.idleNode(Config{})
	for range 10 {
		b.write(dead, uuid.New(), change.Created)
	}
	b.fanOutAll(dead)
	dead.Wake(h.ID)
	if claimed := dead.claim(b.Ctx, dead.term(b.Ctx), []uuid.UUID{h.ID}, reserveAll(dead)); len(claimed) != 10 {
		t.Fatalf("claimed %d", len(claimed))
	}
	b.expireClaims()
	b.node(Config{})
	r.AwaitCount(10)
	b.Eventually("all are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 10 })
}

func reserveAll(n *node) []int32 { _, free := n.slots.reserve(); return free }

func TestPost_AfterTheClaimHasExpiredIsNotSent(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	frozen := b.idleNode(Config{})
	b.write(frozen, uuid.New(), change.Created)
	b.fanOutAll(frozen)
	frozen.Wake(h.ID)
	claimed := frozen.claim(b.Ctx, frozen.term(b.Ctx), []uuid.UUID{h.ID}, reserveAll(frozen))
	claimed[0].expires = time.Now().Add(frozen.config.Slack)
	if o := frozen.post(b.Ctx, claimed[0]); o.verdict != returned || len(r.Messages()) != 0 {
		t.Errorf("%+v, %d messages", o, len(r.Messages()))
	}
}

func TestStop_WaitsForPostsAndReleasesTheRest(t *testing.T) {
	b := setup(t)
	arrived, finish, end := make(chan struct{}, 2), make(chan struct{}), make(chan struct{})
	quick := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		arrived <- struct{}{}
		<-finish
		return http.StatusOK
	})
	endless := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		arrived <- struct{}{}
		<-end
		return http.StatusOK
	})
	t.Cleanup(func() { close(end) })
	quickHook, _ := b.Hook(quick.URL)
	endlessHook, _ := b.Hook(endless.URL)
	n := b.node(Config{Grace: 5 * time.Second}) // time for the result of the one that finishes
	b.write(n, uuid.New(), change.Created)
	<-arrived
	<-arrived
	b.Eventually("both are claimed", func() bool {
		return value[int](b,
			"SELECT count(*) FROM delivery WHERE claim IS NOT NULL") == 2
	})
	n.cancel()
	close(finish) // after the stop has begun
	n.stop()
	if states := b.States(quickHook); states[hooktest.Succeeded] != 1 {
		t.Errorf("the states of the one that finished are %v", states)
	}
	if !value[bool](b, "SELECT claim IS NULL AND claimed_to IS NULL AND due_at <= clock_timestamp() AND attempts = 0 FROM delivery WHERE hook_id = $1",
		endlessHook.ID) {
		t.Error("the claim of the one that did not finish was not released")
	}
}

func TestDelete_DropsPendingDeliveries(t *testing.T) {
	b := setup(t)
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { return http.StatusInternalServerError })
	h, _ := b.Hook(r.URL)
	n := b.node(Config{})
	b.write(n, uuid.New(), change.Created, change.Updated)
	r.AwaitCount(1)
	if err := b.Service.Delete(b.Ctx, h.ID, nil); err != nil {
		t.Fatal(err)
	}
	b.Eventually("nothing is left of the hook", func() bool {
		return len(b.States(h)) == 0 &&
			value[int](b, "SELECT count(*) FROM hook") == 0
	})
	alive := b.Receiver(nil)
	b.Hook(alive.URL)
	b.write(n, uuid.New(), change.Created)
	alive.AwaitCount(1) // the dispatcher continues
}
