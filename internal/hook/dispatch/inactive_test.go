package dispatch

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/hook/internal/store"
)

func TestDisable_OnlyAHookThatOnlyFailsForFiveDays(t *testing.T) {
	b := setup(t)
	r, answer := b.Answering(http.StatusInternalServerError)
	h, _ := b.Hook(r.URL)
	n := b.node(Config{Retries: []time.Duration{}})
	sent := 0
	send := func() hook.Hook {
		t.Helper()
		b.write(n, uuid.New(), change.Created)
		sent++
		b.Eventually("it has ended", func() bool {
			s := b.States(h)
			return s[hooktest.Failed]+s[hooktest.Succeeded] == sent && s[hooktest.Pending] == 0
		})
		return b.Get(h)
	}
	since := func(ago string) { b.Exec("UPDATE hook SET failing_since = now() - $1::interval", ago) }
	if got := send(); got.FailingSince == nil {
		t.Fatalf("after a failure: %+v", got)
	}
	if since("4 days 23 hours"); !send().Active {
		t.Error("it is inactive before the five days are over")
	}
	since("6 days")
	answer.Store(http.StatusOK)
	if got := send(); !got.Active || got.FailingSince != nil {
		t.Errorf("after a success: %+v", got)
	}
	answer.Store(http.StatusInternalServerError)
	if got := send(); !got.Active || got.FailingSince == nil || time.Since(*got.FailingSince) > time.Minute {
		t.Errorf("after a failure again: %+v", got)
	}
	since("5 days 1 second")
	got := send()
	if got.Active || got.DisabledReason == nil {
		t.Fatalf("after five days: %+v", got)
	}
	want := fmt.Sprintf("Every attempt has failed since %s; the last: The answer was 500 Internal Server Error",
		got.FailingSince.Format("2006-01-02 15:04 \"UTC\""))
	if want = strings.ReplaceAll(want, `"`, ""); *got.DisabledReason != want {
		t.Errorf("the reason is %q, want %q", *got.DisabledReason, want)
	}
	if got := b.Patch(h, `{"active":true}`); got.FailingSince != nil || got.DisabledReason != nil {
		t.Errorf("made active again: %+v", got)
	}
	if !send().Active {
		t.Error("the time does not start again")
	}
}

func TestDisable_DuringRetries(t *testing.T) {
	b := setup(t)
	r, _ := b.Answering(http.StatusTeapot)
	h, _ := b.Hook(r.URL)
	n := b.node(Config{Retries: retries(10_000, 5*time.Millisecond), DisableAfter: 100 * time.Millisecond})
	b.write(n, uuid.New(), change.Created, change.Updated)
	b.Eventually("it is inactive, and nothing is pending", func() bool {
		return !b.Get(h).Active && b.States(h)[hooktest.Failed] == 2 && b.States(h)[hooktest.Pending] == 0
	})
}

func TestDeactivation_FailsPendingDeliveriesUntilActivation(t *testing.T) {
	b := setup(t)
	arrived, finish := make(chan hooktest.Message, 10), make(chan int, 10)
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int { arrived <- m; return <-finish })
	h, _ := b.Hook(r.URL)
	n := b.node(Config{})
	item := uuid.New()
	b.write(n, item, change.Created, change.Updated, change.Updated)
	<-arrived
	b.Eventually("two are pending", func() bool { return b.States(h)[hooktest.Pending] == 3 })
	b.Patch(h, `{"active":false}`)
	b.Eventually("they have failed", func() bool { return b.States(h)[hooktest.Failed] == 2 })
	if states := b.States(h); states[hooktest.Pending] != 1 {
		t.Errorf("the states are %v, want one that is being sent", states)
	}
	finish <- http.StatusOK
	b.Eventually("the one that was being sent arrives", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	listed, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{State: hook.Failed}, 10, "")
	if err != nil || len(listed) != 2 {
		t.Fatalf("%+v, %v", listed, err)
	}
	for _, d := range listed {
		_, attempts, err := b.Service.Delivery(b.Ctx, d.ID)
		if err != nil || len(attempts) != 1 || attempts[0].Duration != nil || attempts[0].Status != nil ||
			d.Attempts != 1 || d.Trigger != "hook" || *d.LastFault != "inactive" ||
			*d.LastError != "The hook was made inactive." {
			t.Errorf("%+v, %+v, %v", d, attempts, err)
		}
	}
	b.write(n, item, change.Updated) // the inactive hook does not receive it
	b.Eventually("the fan-out has passed it", func() bool {
		return value[int64](b, "SELECT max(position) FROM consumer_position WHERE consumer = 'hook'") == 4
	})
	b.Patch(h, `{"active":true}`)
	b.write(n, item, change.Updated)
	if m := <-arrived; m.Revision() != 5 {
		t.Errorf("the next message has revision %d", m.Revision())
	}
	finish <- http.StatusOK
}

func TestFanOut_SkipsInactiveHooks(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	b.HookOf(map[string]any{"url": r.URL, "events": []string{hook.ItemCreated}, "active": false})
	n := b.idleNode(Config{})
	b.write(n, uuid.New(), change.Created)
	b.fanOutAll(n)
	if n := value[int](b, "SELECT count(*) FROM delivery"); n != 0 {
		t.Errorf("%d deliveries", n)
	}
}

// bulk creates items, updates each until it has the number of revisions, and fans the changes out.
func (b *bundle) bulk(n *node, items, revisions int) {
	b.T.Helper()
	b.Exec(`INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous, trigger, document, occurred_at)
		SELECT $1, i.id, r, CASE r WHEN 1 THEN 'CREATED' ELSE 'UPDATED' END, '{}', '{}', 'hook', convert_to('{}', 'UTF8'), now()
		FROM generate_series(1, $3) r, (SELECT gen_random_uuid() AS id FROM generate_series(1, $2)) i ORDER BY r`,
		b.Account, items, revisions)
	b.fanOutAll(n)
}

// A hook becomes active again when half of its backlog is ended. Whatever led the groups, the rest is sent.
func TestDeactivation_UndoneHalfwayLeavesNoGroupStuck(t *testing.T) {
	for name, lead := range map[string]string{"the oldest leads": "",
		"the newest leads, as after a redelivery of an older one": `
		UPDATE delivery d SET due_at = CASE WHEN d.position = (SELECT max(x.position) FROM delivery x WHERE x.item_id = d.item_id) THEN now() END`} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			r := b.Receiver(nil)
			h, _ := b.Hook(r.URL)
			n := b.idleNode(Config{})
			b.bulk(n, 4, (maxEnded+60)/4)
			if lead != "" {
				b.Exec(lead)
			}
			b.Patch(h, `{"active":false}`)
			of, err := store.New(n.pool).InactiveHooks(b.Ctx)
			if err != nil || len(of) != 1 {
				t.Fatalf("%+v, %v", of, err)
			}
			if ended, err := n.endBatch(b.Ctx, of[0]); err != nil || ended != maxEnded {
				t.Fatalf("ended %d, %v", ended, err)
			}
			b.Patch(h, `{"active":true}`)
			left := b.States(h)[hooktest.Pending]
			if left != 60 {
				t.Fatalf("%d are left", left)
			}
			b.node(Config{})
			r.AwaitCount(left)
			b.Eventually("all have ended", func() bool { return b.States(h)[hooktest.Succeeded] == left })
			for _, m := range r.Messages() {
				if m.Revision() > left/4 {
					t.Errorf("revision %d was left", m.Revision())
				}
			}
		})
	}
}

func TestDelete_TheSweepRemovesABigBacklog(t *testing.T) {
	b := setup(t)
	const backlog = 10_000
	h, _ := b.Hook("http://127.0.0.1/")
	n := b.idleNode(Config{})
	b.bulk(n, backlog, 1)
	if err := b.Service.Delete(b.Ctx, h.ID, nil); err != nil {
		t.Fatal(err)
	}
	if left := b.States(h)[hooktest.Pending]; left != backlog {
		t.Errorf("the request itself deleted %d of them", backlog-left)
	}
	if listed, _, err := b.Service.Deliveries(b.Ctx, hook.DeliveryFilter{}, 10, ""); err != nil || len(listed) != 0 {
		t.Errorf("a deleted hook's deliveries are listed: %+v, %v", listed, err)
	}
	alive := b.Receiver(nil)
	other, _ := b.Hook(alive.URL)
	n = b.node(Config{})
	b.write(n, uuid.New(), change.Created)
	alive.AwaitCount(1)
	b.Eventually("nothing is left of the hook", func() bool {
		return value[int](b, "SELECT count(*) FROM delivery") == 0 && value[int](b, "SELECT count(*) FROM hook") == 1
	})
	b.Eventually("the other hook receives", func() bool { return b.States(other)[hooktest.Succeeded] == 1 })
}
