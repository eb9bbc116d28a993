package dispatch

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/problem"
)

func (b *bundle) currentReplay(h hook.Hook) hook.Replay {
	b.T.Helper()
	r, err := b.Service.CurrentReplay(b.Ctx, h.ID)
	if err != nil {
		b.T.Fatal(err)
	}
	return r
}

// replayed waits for the end of a replay.
func (b *bundle) replayed(h hook.Hook) hook.Replay {
	b.T.Helper()
	b.Eventually("the replay ends", func() bool { return b.currentReplay(h).EndedAt != nil })
	return b.currentReplay(h)
}

// consumed waits until the changes so far are fanned out.
func (b *bundle) consumed(position int) {
	b.T.Helper()
	b.Eventually("all are fanned out", func() bool {
		return value[int](b, "SELECT coalesce(max(position), 0) FROM consumer_position WHERE consumer = 'hook'") >= position
	})
}

func TestReplay_KeepsIDsAndSendsANewHookEarlierChanges(t *testing.T) {
	b := setup(t)
	old := b.Receiver(nil)
	first, _ := b.Hook(old.URL)
	n := b.node(Config{})
	one, two := uuid.New(), uuid.New()
	b.write(n, one, change.Created)
	b.write(n, two, change.Created)
	b.write(n, one, change.Updated, change.Deleted)
	before := old.AwaitCount(4)
	b.Eventually("all are delivered", func() bool { return b.States(first)[hooktest.Succeeded] == 4 })
	fresh := b.Receiver(nil)
	second, _ := b.Hook(fresh.URL, hook.ItemCreated, hook.ItemDeleted)
	begun := b.Replay(second, hook.ReplayFrom{Rate: 1000})
	if begun.Size != 4 || begun.Rate != 1000 || begun.HookID != second.ID || begun.From != n.feed.Cursor(0) ||
		begun.To != n.feed.Cursor(4) || begun.Since != nil {
		t.Errorf("begun: %+v", begun)
	}
	var got []string
	for _, m := range fresh.AwaitCount(3) {
		if m.Header.Get("Itemcast-Trigger") != "replay" {
			t.Errorf("sent %v", m.Header)
		}
		got = append(got, string(m.Body))
	}
	for _, want := range [][]byte{hooktest.DocumentOf(one, 1), hooktest.DocumentOf(two, 1),
		hooktest.DocumentOf(one, 3)} {
		if !slices.Contains(got, string(want)) {
			t.Errorf("%s was not sent", want)
		}
	}
	if ended := b.replayed(second); ended.Done != 4 || ended.Size != 4 || ended.Deliveries != 3 ||
		ended.Error != nil || ended.Position != ended.To {
		t.Errorf("ended: %+v", ended)
	}

	b.Replay(first, hook.ReplayFrom{After: n.feed.Cursor(1)})
	again := old.AwaitCount(7)[4:]
	for _, m := range again {
		at := slices.IndexFunc(before, func(b hooktest.Message) bool { return b.ID() == m.ID() })
		if at < 0 || hook.PositionOf(uuid.MustParse(m.ID())) == 1 || string(before[at].Body) != string(m.Body) ||
			m.Header.Get("Itemcast-Occurred-At") != before[at].Header.Get("Itemcast-Occurred-At") {
			t.Errorf("sent %s %s", m.ID(), m.Body)
		}
	}
	b.replayed(first)
	b.Eventually("all are delivered", func() bool {
		return b.States(first)[hooktest.Succeeded] == 4 &&
			len(b.States(first)) == 1
	})
	if d, attempts, err := b.Service.Delivery(b.Ctx, uuid.MustParse(again[0].ID())); err != nil || d.Attempts != 2 ||
		attempts[0].Trigger != "hook" || attempts[1].Trigger != "replay" {
		t.Errorf("%+v, %+v", d, attempts)
	}
}

func TestReplay_FromATimeSkipsOlderChanges(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.HookOf(map[string]any{"url": r.URL, "events": hooktest.AllEvents, "active": false})
	n := b.node(Config{})
	start := time.Now().Add(-2 * time.Hour).Truncate(time.Microsecond)
	// Some entered the log later than they were made.
	for _, at := range []time.Duration{0, time.Hour - time.Microsecond, time.Hour, 50 * time.Minute,
		time.Hour + time.Second, time.Hour - time.Second, 70 * time.Minute} {
		b.record(n, change.Change{ItemID: uuid.New(), Kind: change.Created, Trigger: change.TriggerWrite,
			OccurredAt: start.Add(at)})
	}
	b.consumed(7)
	b.Patch(h, `{"active":true}`)
	since := start.Add(time.Hour)
	begun := b.Replay(h, hook.ReplayFrom{Since: &since})
	if !begun.Since.Equal(since) || begun.Rate != hook.DefaultReplayRate {
		t.Errorf("begun: %+v", begun)
	}
	if ended := b.replayed(h); ended.Deliveries != 3 || ended.Error != nil {
		t.Errorf("ended: %+v", ended)
	}
	for _, m := range r.AwaitCount(3) {
		if at, err := time.Parse(time.RFC3339Nano, m.Header.Get("Itemcast-Occurred-At")); err != nil ||
			at.Before(since) {
			t.Errorf("sent a change made at %s, %v", at, err)
		}
	}
}

func TestReplay_RespectsTheOrderOfItemsTheFilterAndItsRate(t *testing.T) {
	b := setup(t)
	fails := true
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		if fails = !fails; fails {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	n := b.node(Config{Retries: retries(100, time.Millisecond)})
	items := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	for range 10 {
		for _, item := range items {
			b.write(n, item, change.Updated)
		}
	}
	b.consumed(30)
	h, _ := b.HookOf(map[string]any{"url": r.URL, "events": []string{hook.ItemUpdated}, "max_in_flight": 1})
	const rate = 20
	begun := time.Now()
	b.Replay(h, hook.ReplayFrom{Rate: rate})
	b.replayed(h)
	b.Eventually("all are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 30 })
	if took := time.Since(begun); took < (30-rate/4)*time.Second/rate*9/10 {
		t.Errorf("30 at %d a second took %s", rate, took)
	}
	done := map[string]int{}
	for _, m := range r.Messages() {
		_, item, _ := strings.Cut(string(m.Body), `"id"`)
		if m.Revision() != done[item]+1 {
			t.Fatalf("revision %d after %d", m.Revision(), done[item])
		}
		if m.Status == http.StatusOK {
			done[item] = m.Revision()
		}
	}
}

// A receiver that applies what it gets, in order, ends with the latest revision: what a replay sends comes before a later
// delivery of the item that was pending, also when that one is being sent at the time.
func TestReplay_ComesBeforeALaterDeliveryThatIsPending(t *testing.T) {
	const last = 5
	for name, c := range map[string]struct {
		answer   int  // to the first attempt of the last revision
		inFlight bool // the replay begins before the answer
	}{
		"it waits for its retry":            {http.StatusInternalServerError, false},
		"it is being sent, and fails":       {http.StatusInternalServerError, true},
		"it is being sent, and is accepted": {http.StatusOK, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			arrived, answer, first := make(chan struct{}), make(chan int), true
			r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int {
				if m.Revision() == last && first {
					first = false
					close(arrived)
					return <-answer
				}
				return http.StatusOK
			})
			h, _ := b.Hook(r.URL)
			n := b.node(Config{Quick: -1, Retries: retries(3, time.Hour), Timeout: hooktest.Timeout})
			b.serveOn(n)
			item := uuid.New()
			b.write(n, item, change.Created, change.Updated, change.Updated, change.Updated)
			b.Eventually("four are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 4 })
			b.write(n, item, change.Updated)
			<-arrived
			if c.inFlight {
				b.Replay(h, hook.ReplayFrom{Rate: 1000})
				b.Eventually("the others wait", func() bool { return b.States(h)[hooktest.Pending] == last })
				answer <- c.answer
			} else {
				answer <- c.answer
				b.Eventually("it waits for its retry", func() bool {
					return value[bool](b, "SELECT count(*) > 0 FROM delivery WHERE attempts = 1 AND claim IS NULL")
				})
				b.Replay(h, hook.ReplayFrom{Rate: 1000})
			}
			b.replayed(h)
			b.Eventually("nothing is pending", func() bool { return b.States(h)[hooktest.Succeeded] == last })
			var got []int
			for _, m := range r.Messages()[4+1:] {
				got = append(got, m.Revision())
			}
			// The last one may come twice: the replay cannot tell whether its retry came after the others.
			if want := []int{1, 2, 3, 4, last}; !slices.Equal(slices.Compact(got), want) {
				t.Errorf("sent %v, want %v", got, want)
			}
		})
	}
}

func TestReplay_WaitsWhileManyArePending(t *testing.T) {
	b := setup(t)
	h, _ := b.Hook("http://127.0.0.1/")
	n := b.idleNode(Config{})
	b.bulk(n, maxReplayPending+1, 1)
	b.serveOn(n)
	b.Exec("DELETE FROM delivery WHERE position = 1") // the replay creates this one
	b.Replay(h, hook.ReplayFrom{Rate: 1000})
	step := func() (hook.Replay, time.Duration) {
		t.Helper()
		b.Exec("UPDATE hook_replay SET due_at = now()")
		if stepped, err := n.stepReplay(b.Ctx); err != nil || !stepped {
			t.Fatalf("%t, %v", stepped, err)
		}
		return b.currentReplay(h), time.Duration(value[float64](b,
			"SELECT extract(epoch FROM due_at - now()) FROM hook_replay") * float64(time.Second))
	}
	if r, pause := step(); r.Done != 0 || r.Deliveries != 0 || r.EndedAt != nil || pause <= 0 || pause > time.Second {
		t.Errorf("while 1,000 are pending: %+v, in %s", r, pause)
	}
	b.Exec("DELETE FROM delivery WHERE position = 1001")
	if r, _ := step(); r.Done == 0 || r.Deliveries != 1 {
		t.Errorf("when fewer are: %+v", r)
	}
	if pending := b.States(h)[hooktest.Pending]; pending != maxReplayPending {
		t.Errorf("%d are pending", pending)
	}
}

func TestReplay_RunsOnceAtATimeAndStops(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	n := b.idleNode(Config{})
	if _, err := b.Service.CurrentReplay(b.Ctx, h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("before there was one: %v", err)
	}
	b.bulk(n, 20, 1)
	b.serveOn(n)
	first := b.Replay(h, hook.ReplayFrom{Rate: 4})
	if stepped, err := n.stepReplay(b.Ctx); err != nil || !stepped {
		t.Fatalf("%t, %v", stepped, err)
	}
	if got := b.currentReplay(h); got.Done != 1 || got.Size != 20 || got.EndedAt != nil ||
		got.Position != n.feed.Cursor(1) {
		t.Errorf("after a step: %+v", got)
	}
	if _, err := b.Service.Replay(b.Ctx, h.ID, hook.ReplayFrom{After: n.feed.Cursor(0)}); !problem.Is(err,
		problem.Conflict) {
		t.Errorf("a second: %v", err)
	}
	for range 2 { // the second stops nothing
		if err := b.Service.StopReplay(b.Ctx, h.ID); err != nil {
			t.Error(err)
		}
	}
	stopped := b.currentReplay(h)
	if stopped.ID != first.ID || stopped.EndedAt == nil || stopped.Error == nil ||
		*stopped.Error != "It was stopped by hand." || stopped.Done != 1 {
		t.Errorf("stopped: %+v", stopped)
	}
	b.Exec("UPDATE hook_replay SET due_at = now()")
	if stepped, err := n.stepReplay(b.Ctx); err != nil || stepped {
		t.Errorf("a stopped replay continues: %v", err)
	}
	if again := b.Replay(h, hook.ReplayFrom{After: stopped.Position}); again.ID == first.ID || again.EndedAt != nil ||
		again.Error != nil || again.Done != 0 || again.Size != 19 || again.Deliveries != 0 {
		t.Errorf("begun again: %+v", again)
	}
	for name, c := range map[string]struct {
		from hook.ReplayFrom
		code problem.Code
	}{
		"neither":  {hook.ReplayFrom{}, problem.InvalidInput},
		"both":     {hook.ReplayFrom{After: n.feed.Cursor(0), Since: new(time.Now())}, problem.InvalidInput},
		"too fast": {hook.ReplayFrom{After: n.feed.Cursor(0), Rate: hook.MaxReplayRate + 1}, problem.InvalidInput},
		"too slow": {hook.ReplayFrom{After: n.feed.Cursor(0), Rate: -1}, problem.InvalidInput},
		"nonsense": {hook.ReplayFrom{After: "x"}, problem.InvalidCursor},
		"ahead":    {hook.ReplayFrom{After: n.feed.Cursor(21)}, problem.InvalidCursor},
	} {
		if _, err := b.Service.Replay(b.Ctx, h.ID, c.from); !problem.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, call := range map[string]func(context.Context, uuid.UUID) error{
		"replay": func(ctx context.Context, id uuid.UUID) error {
			_, err := b.Service.Replay(ctx, id, hook.ReplayFrom{After: n.feed.Cursor(0)})
			return err
		},
		"read": func(ctx context.Context, id uuid.UUID) error { _, err := b.Service.CurrentReplay(ctx, id); return err },
		"stop": b.Service.StopReplay,
	} {
		if err := call(b.Ctx, uuid.New()); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s of no hook: %v", name, err)
		}
		if err := call(hooktest.Managing(b.Ctx, b.NewAccount()), h.ID); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s of another account's: %v", name, err)
		}
	}
}

func TestReplay_OfAnInactiveHookIsRefusedOrEndsWithTheReason(t *testing.T) {
	b := setup(t)
	h, _ := b.Hook("http://127.0.0.1/")
	n := b.idleNode(Config{})
	b.bulk(n, 3, 1)
	b.serveOn(n)
	b.Replay(h, hook.ReplayFrom{})
	b.Patch(h, `{"active":false}`)
	if stepped, err := n.stepReplay(b.Ctx); err != nil || !stepped {
		t.Fatalf("%t, %v", stepped, err)
	}
	if got := b.currentReplay(h); got.EndedAt == nil || got.Error == nil ||
		*got.Error != "The hook was made inactive." {
		t.Errorf("ended: %+v", got)
	}
	if _, err := b.Service.Replay(b.Ctx, h.ID, hook.ReplayFrom{After: n.feed.Cursor(0)}); !problem.Is(err,
		problem.Conflict) {
		t.Errorf("of an inactive hook: %v", err)
	}
}

func TestReplay_OfChangesThatHaveLeftTheLogEndsWithTheReason(t *testing.T) {
	b := setup(t)
	h, _ := b.Hook("http://127.0.0.1/")
	n := b.idleNode(Config{})
	b.bulk(n, 5, 1)
	b.serveOn(n)
	b.Replay(h, hook.ReplayFrom{Rate: 4})
	b.Exec("UPDATE feed SET floor = 2")
	b.Exec("DELETE FROM item_position WHERE position <= 2")
	if stepped, err := n.stepReplay(b.Ctx); err != nil || !stepped {
		t.Fatalf("%t, %v", stepped, err)
	}
	if got := b.currentReplay(h); got.EndedAt == nil || got.Error == nil ||
		*got.Error != "The next change has left the log." {
		t.Errorf("ended: %+v", got)
	}
	if _, err := b.Service.Replay(b.Ctx, h.ID, hook.ReplayFrom{After: n.feed.Cursor(1)}); !problem.Is(err,
		problem.CursorExpired) {
		t.Errorf("from an expired cursor: %v", err)
	}
	if got := b.Replay(h, hook.ReplayFrom{Since: new(time.Now().Add(-24 * time.Hour))}); got.From != n.feed.Cursor(2) || got.Size != 3 {
		t.Errorf("from a time before the log: %+v", got)
	}
}

// A node whose feed is behind waits for it, and does not end the replay.
func TestReplay_IsNotEndedByANodeThatIsBehind(t *testing.T) {
	b := setup(t)
	h, _ := b.Hook("http://127.0.0.1/")
	behind, n := b.idleNode(Config{}), b.idleNode(Config{})
	b.bulk(n, 3, 1)
	b.Exec("DELETE FROM delivery")
	b.serveOn(n)
	b.Replay(h, hook.ReplayFrom{})
	step := func(by *node) hook.Replay {
		t.Helper()
		b.Exec("UPDATE hook_replay SET due_at = now()")
		if _, err := by.stepReplay(b.Ctx); err != nil {
			t.Fatal(err)
		}
		return b.currentReplay(h)
	}
	if got := step(behind); got.EndedAt != nil || got.Done != 0 {
		t.Errorf("by the node that is behind: %+v", got)
	}
	if got := step(n); got.EndedAt == nil || got.Deliveries != 3 {
		t.Errorf("by the other node: %+v", got)
	}
}

// The fan-out skips changes from before the hook, even those that it has not read yet. The replay sends them.
func TestReplay_SendsAllEarlierChangesWhileTheFanOutIsBehind(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	n := b.idleNode(Config{})
	for range 3 {
		b.write(n, uuid.New(), change.Created)
	}
	if err := n.sequencer.Drain(b.Ctx); err != nil {
		t.Fatal(err)
	}
	h, _ := b.Hook(r.URL)
	b.Replay(h, hook.ReplayFrom{})
	b.write(n, uuid.New(), change.Created)
	b.node(Config{})
	b.replayed(h)
	r.AwaitCount(4)
	b.Eventually("all are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 4 })
	if len(r.Messages()) != 4 {
		t.Errorf("%d messages", len(r.Messages()))
	}
}

func TestReplay_BySeveralNodesMakesNoDuplicatesAndSurvivesOneOfThem(t *testing.T) {
	b := setup(t)
	const items, revisions = 50, 6
	r := b.Receiver(nil)
	n := b.idleNode(Config{})
	b.bulk(n, items, revisions)
	h, _ := b.Hook(r.URL)
	b.serveOn(n)
	first, second := b.node(Config{}), b.node(Config{})
	b.Replay(h, hook.ReplayFrom{Rate: 300})
	r.AwaitCount(items)
	first.stop()
	ended := b.replayed(h)
	if ended.Deliveries != items*revisions || ended.Done != items*revisions || ended.Error != nil {
		t.Errorf("ended: %+v", ended)
	}
	b.Eventually("all are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == items*revisions })
	second.stop()
	seen := map[string]int{}
	for _, m := range r.Messages() {
		seen[m.ID()]++
	}
	if len(seen) != items*revisions || len(r.Messages()) != items*revisions {
		t.Errorf("%d messages with %d ids", len(r.Messages()), len(seen))
	}
	if attempts := fmt.Sprint(value[int](b, "SELECT max(number) FROM delivery_attempt")); attempts != "1" {
		t.Errorf("%s attempts", attempts)
	}
}
