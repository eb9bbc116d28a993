package hook

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook/internal/store"
)

func TestDisable_OnlyAHookThatHasDoneNothingButFailForLong(t *testing.T) {
	b := setup(t)
	r, answer := b.answering(http.StatusInternalServerError)
	h, _ := b.hook(r.URL)
	n := b.node(Config{Retries: []time.Duration{}})
	sent := 0
	send := func() Hook {
		t.Helper()
		b.write(n, uuid.New(), change.Created)
		sent++
		b.eventually("it is done with", func() bool { s := b.states(h); return s[stateFailed]+s[stateSucceeded] == sent && s[statePending] == 0 })
		return b.get(h)
	}
	since := func(ago string) { b.exec("UPDATE hook SET failing_since = now() - $1::interval", ago) }
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
	want := fmt.Sprintf("Every attempt has failed since %s; the last: The answer was 500 Internal Server Error", got.FailingSince.Format("2006-01-02 15:04 \"UTC\""))
	if want = strings.ReplaceAll(want, `"`, ""); *got.DisabledReason != want {
		t.Errorf("the reason is %q, want %q", *got.DisabledReason, want)
	}
	if got := b.patch(h, `{"active":true}`); got.FailingSince != nil || got.DisabledReason != nil {
		t.Errorf("made active again: %+v", got)
	}
	if !send().Active {
		t.Error("it does not begin anew")
	}
}

func TestDisable_ByConfigInTheCourseOfRetries(t *testing.T) {
	b := setup(t)
	r, _ := b.answering(http.StatusTeapot)
	h, _ := b.hook(r.URL)
	n := b.node(Config{Retries: retries(10_000, 5*time.Millisecond), DisableAfter: 100 * time.Millisecond})
	b.write(n, uuid.New(), change.Created, change.Updated)
	b.eventually("it is inactive, and nothing is pending", func() bool {
		return !b.get(h).Active && b.states(h)[stateFailed] == 2 && b.states(h)[statePending] == 0
	})
}

func TestDeactivation_FailsWhatIsPendingAndLetsGoOnAfterwards(t *testing.T) {
	b := setup(t)
	arrived, finish := make(chan message, 10), make(chan int, 10)
	r := b.receiver(func(_ http.ResponseWriter, m message) int { arrived <- m; return <-finish })
	h, _ := b.hook(r.URL)
	n := b.node(Config{})
	item := uuid.New()
	b.write(n, item, change.Created, change.Updated, change.Updated)
	<-arrived
	b.eventually("two wait", func() bool { return b.states(h)[statePending] == 3 })
	b.patch(h, `{"active":false}`)
	b.eventually("they have failed", func() bool { return b.states(h)[stateFailed] == 2 })
	if states := b.states(h); states[statePending] != 1 {
		t.Errorf("what is being sent: %v", states)
	}
	finish <- http.StatusOK
	b.eventually("what was being sent still arrives", func() bool { return b.states(h)[stateSucceeded] == 1 })
	listed, _, err := b.service.Deliveries(b.ctx, DeliveryFilter{State: Failed}, 10, "")
	if err != nil || len(listed) != 2 {
		t.Fatalf("%+v, %v", listed, err)
	}
	for _, d := range listed {
		_, attempts, err := b.service.Delivery(b.ctx, d.ID)
		if err != nil || len(attempts) != 1 || attempts[0].Duration != nil || attempts[0].Status != nil || d.Attempts != 1 || d.Trigger != "hook" || *d.LastFault != "inactive" ||
			*d.LastError != "The hook was made inactive." {
			t.Errorf("%+v, %+v, %v", d, attempts, err)
		}
	}
	b.write(n, item, change.Updated) // which nobody is sent
	b.eventually("it is passed over", func() bool {
		return value[int64](b, "SELECT max(position) FROM consumer_position WHERE consumer = 'hook'") == 4
	})
	b.patch(h, `{"active":true}`)
	b.write(n, item, change.Updated)
	if m := <-arrived; m.revision() != 5 {
		t.Errorf("then came revision %d", m.revision())
	}
	finish <- http.StatusOK
}

// bulk makes changes of a number of new items, each created and then updated so often, and makes deliveries of them.
func (b *bundle) bulk(n *node, items, revisions int) {
	b.t.Helper()
	b.exec(`INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous, trigger, document, occurred_at)
		SELECT $1, i.id, r, CASE r WHEN 1 THEN 'CREATED' ELSE 'UPDATED' END, '{}', '{}', 'hook', convert_to('{}', 'UTF8'), now()
		FROM generate_series(1, $3) r, (SELECT gen_random_uuid() AS id FROM generate_series(1, $2)) i ORDER BY r`, b.account, items, revisions)
	b.fanOutAll(n)
}

// Half of a backlog is ended when the hook becomes active again: whatever led its lines, what is left is sent.
func TestDeactivation_ThatIsUndoneHalfWayLeavesNoLineStuck(t *testing.T) {
	for name, lead := range map[string]string{"the oldest leads": "", "the newest leads, as when what is older was asked for again": `
		UPDATE delivery d SET due_at = CASE WHEN d.position = (SELECT max(x.position) FROM delivery x WHERE x.item_id = d.item_id) THEN now() END`} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			r := b.receiver(nil)
			h, _ := b.hook(r.URL)
			n := b.idleNode(Config{})
			b.bulk(n, 4, (endBatch+60)/4)
			if lead != "" {
				b.exec(lead)
			}
			b.patch(h, `{"active":false}`)
			of, err := store.New(n.pool).InactiveHooks(b.ctx)
			if err != nil || len(of) != 1 {
				t.Fatalf("%+v, %v", of, err)
			}
			if ended, err := n.endBatch(b.ctx, of[0]); err != nil || ended != endBatch {
				t.Fatalf("ended %d, %v", ended, err)
			}
			b.patch(h, `{"active":true}`)
			left := b.states(h)[statePending]
			if left != 60 {
				t.Fatalf("%d are left", left)
			}
			b.node(Config{})
			r.awaitCount(left)
			b.eventually("all is done with", func() bool { return b.states(h)[stateSucceeded] == left })
			for _, m := range r.messages {
				if m.revision() > left/4 {
					t.Errorf("revision %d was left", m.revision())
				}
			}
		})
	}
}

func TestDelete_OfAHookWithABigBacklogIsTheSweepsWork(t *testing.T) {
	b := setup(t)
	const backlog = 10_000
	h, _ := b.hook("http://127.0.0.1/")
	n := b.idleNode(Config{})
	b.bulk(n, backlog, 1)
	if err := b.service.Delete(b.ctx, h.ID); err != nil {
		t.Fatal(err)
	}
	if left := b.states(h)[statePending]; left != backlog {
		t.Errorf("the request deleted %d of them itself", backlog-left)
	}
	if listed, _, err := b.service.Deliveries(b.ctx, DeliveryFilter{}, 10, ""); err != nil || len(listed) != 0 {
		t.Errorf("a deleted hook's deliveries are listed: %+v, %v", listed, err)
	}
	alive := b.receiver(nil)
	other, _ := b.hook(alive.URL)
	n = b.node(Config{})
	b.write(n, uuid.New(), change.Created)
	alive.awaitCount(1)
	b.eventually("nothing is left of it", func() bool {
		return value[int](b, "SELECT count(*) FROM delivery") == 0 && value[int](b, "SELECT count(*) FROM hook") == 1
	})
	b.eventually("the other goes on", func() bool { return b.states(other)[stateSucceeded] == 1 })
}
