package hook

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
	"itemcast/internal/problem"
)

// replay begins one, from the beginning of the log unless it says otherwise.
func (b *bundle) replay(h Hook, from ReplayFrom) Replay {
	b.t.Helper()
	if from.After == "" && from.Since == nil {
		from.After = b.service.feed.Cursor(0)
	}
	r, err := b.service.Replay(b.ctx, h.ID, from)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bundle) currentReplay(h Hook) Replay {
	b.t.Helper()
	r, err := b.service.CurrentReplay(b.ctx, h.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// replayed waits for a replay's end.
func (b *bundle) replayed(h Hook) Replay {
	b.t.Helper()
	b.eventually("the replay ends", func() bool { return b.currentReplay(h).EndedAt != nil })
	return b.currentReplay(h)
}

// consumed waits until the changes so far are fanned out.
func (b *bundle) consumed(position int) {
	b.t.Helper()
	b.eventually("all are fanned out", func() bool {
		return value[int](b, "SELECT coalesce(max(position), 0) FROM consumer_position WHERE consumer = 'hook'") >= position
	})
}

func TestReplay_SendsAgainUnderTheSameIDsAndANewHookWhatWasBeforeIt(t *testing.T) {
	b := setup(t)
	old := b.receiver(nil)
	first, _ := b.hook(old.URL)
	n := b.node(Config{})
	one, two := uuid.New(), uuid.New()
	b.write(n, one, change.Created)
	b.write(n, two, change.Created)
	b.write(n, one, change.Updated, change.Deleted)
	before := old.awaitCount(4)
	b.eventually("all is done", func() bool { return b.states(first)[stateSucceeded] == 4 })
	fresh := b.receiver(nil)
	second, _ := b.hook(fresh.URL, ItemCreated, ItemDeleted)
	begun := b.replay(second, ReplayFrom{Rate: 1000})
	if begun.Size != 4 || begun.Rate != 1000 || begun.HookID != second.ID || begun.From != n.feed.Cursor(0) || begun.To != n.feed.Cursor(4) || begun.Since != nil {
		t.Errorf("begun: %+v", begun)
	}
	var got []string
	for _, m := range fresh.awaitCount(3) {
		if m.header.Get("Itemcast-Trigger") != "replay" {
			t.Errorf("sent %v", m.header)
		}
		got = append(got, string(m.body))
	}
	for _, want := range [][]byte{documentOf(one, 1), documentOf(two, 1), documentOf(one, 3)} {
		if !slices.Contains(got, string(want)) {
			t.Errorf("%s was not sent", want)
		}
	}
	if ended := b.replayed(second); ended.Done != 4 || ended.Size != 4 || ended.Deliveries != 3 || ended.Error != nil || ended.Position != ended.To {
		t.Errorf("ended: %+v", ended)
	}

	b.replay(first, ReplayFrom{After: n.feed.Cursor(1)})
	again := old.awaitCount(7)[4:]
	for _, m := range again {
		at := slices.IndexFunc(before, func(b message) bool { return b.id() == m.id() })
		if at < 0 || positionOf(uuid.MustParse(m.id())) == 1 || string(before[at].body) != string(m.body) || m.header.Get("Itemcast-Occurred-At") != before[at].header.Get("Itemcast-Occurred-At") {
			t.Errorf("sent %s %s", m.id(), m.body)
		}
	}
	b.replayed(first)
	b.eventually("all is done", func() bool { return b.states(first)[stateSucceeded] == 4 && len(b.states(first)) == 1 })
	if d, attempts := b.delivery(again[0]); d.Attempts != 2 || attempts[0].Trigger != "hook" || attempts[1].Trigger != "replay" {
		t.Errorf("%+v, %+v", d, attempts)
	}
}

func TestReplay_FromATimeSendsNothingOlder(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hookOf(map[string]any{"url": r.URL, "events": allEvents, "active": false})
	n := b.node(Config{})
	start := time.Now().Add(-2 * time.Hour).Truncate(time.Microsecond)
	// Some were made earlier than they were logged.
	for _, at := range []time.Duration{0, time.Hour - time.Microsecond, time.Hour, 50 * time.Minute, time.Hour + time.Second, time.Hour - time.Second, 70 * time.Minute} {
		b.record(n, change.Change{ItemID: uuid.New(), Kind: change.Created, Trigger: change.TriggerWrite, OccurredAt: start.Add(at)})
	}
	b.consumed(7)
	b.patch(h, `{"active":true}`)
	since := start.Add(time.Hour)
	begun := b.replay(h, ReplayFrom{Since: &since})
	if !begun.Since.Equal(since) || begun.Rate != DefaultReplayRate {
		t.Errorf("begun: %+v", begun)
	}
	if ended := b.replayed(h); ended.Deliveries != 3 || ended.Error != nil {
		t.Errorf("ended: %+v", ended)
	}
	for _, m := range r.awaitCount(3) {
		if at, err := time.Parse(time.RFC3339Nano, m.header.Get("Itemcast-Occurred-At")); err != nil || at.Before(since) {
			t.Errorf("sent what was made at %s, %v", at, err)
		}
	}
}

func TestReplay_KeepsTheOrderOfItemsTheFilterAndItsRate(t *testing.T) {
	b := setup(t)
	fails := true
	r := b.receiver(func(http.ResponseWriter, message) int {
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
	h, _ := b.hookOf(map[string]any{"url": r.URL, "events": []string{ItemUpdated}, "max_in_flight": 1})
	const rate = 20
	begun := time.Now()
	b.replay(h, ReplayFrom{Rate: rate})
	b.replayed(h)
	b.eventually("all are delivered", func() bool { return b.states(h)[stateSucceeded] == 30 })
	if took := time.Since(begun); took < (30-rate/4)*time.Second/rate*9/10 {
		t.Errorf("30 at %d a second took %s", rate, took)
	}
	done := map[string]int{}
	for _, m := range r.messages {
		_, item, _ := strings.Cut(string(m.body), `"id"`)
		if m.revision() != done[item]+1 {
			t.Fatalf("revision %d after %d", m.revision(), done[item])
		}
		if m.status == http.StatusOK {
			done[item] = m.revision()
		}
	}
}

func TestReplay_WaitsWhileMuchIsPending(t *testing.T) {
	b := setup(t)
	h, _ := b.hook("http://127.0.0.1/")
	n := b.idleNode(Config{})
	b.bulk(n, replayPending+1, 1)
	b.serveOn(n)
	b.exec("DELETE FROM delivery WHERE position = 1") // that one is to be replayed
	b.replay(h, ReplayFrom{Rate: 1000})
	step := func() (Replay, time.Duration) {
		t.Helper()
		b.exec("UPDATE hook_replay SET due_at = now()")
		if stepped, err := n.replayOnce(b.ctx); err != nil || !stepped {
			t.Fatalf("%t, %v", stepped, err)
		}
		return b.currentReplay(h), time.Duration(value[float64](b, "SELECT extract(epoch FROM due_at - now()) FROM hook_replay") * float64(time.Second))
	}
	if r, pause := step(); r.Done != 0 || r.Deliveries != 0 || r.EndedAt != nil || pause <= 0 || pause > time.Second {
		t.Errorf("while 1,000 are pending: %+v, in %s", r, pause)
	}
	b.exec("DELETE FROM delivery WHERE position = 1001")
	if r, _ := step(); r.Done == 0 || r.Deliveries != 1 {
		t.Errorf("when fewer are: %+v", r)
	}
	if pending := b.states(h)[statePending]; pending != replayPending {
		t.Errorf("%d are pending", pending)
	}
}

func TestReplay_OneAtATimeAndStops(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hook(r.URL)
	n := b.idleNode(Config{})
	if _, err := b.service.CurrentReplay(b.ctx, h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("before there was one: %v", err)
	}
	b.bulk(n, 20, 1)
	b.serveOn(n)
	first := b.replay(h, ReplayFrom{Rate: 4})
	if stepped, err := n.replayOnce(b.ctx); err != nil || !stepped {
		t.Fatalf("%t, %v", stepped, err)
	}
	if got := b.currentReplay(h); got.Done != 1 || got.Size != 20 || got.EndedAt != nil || got.Position != n.feed.Cursor(1) {
		t.Errorf("after a step: %+v", got)
	}
	if _, err := b.service.Replay(b.ctx, h.ID, ReplayFrom{After: n.feed.Cursor(0)}); !problem.Is(err, problem.Conflict) {
		t.Errorf("a second: %v", err)
	}
	for range 2 { // stopped is stopped
		if err := b.service.StopReplay(b.ctx, h.ID); err != nil {
			t.Error(err)
		}
	}
	stopped := b.currentReplay(h)
	if stopped.ID != first.ID || stopped.EndedAt == nil || stopped.Error == nil || *stopped.Error != "It was stopped by hand." || stopped.Done != 1 {
		t.Errorf("stopped: %+v", stopped)
	}
	b.exec("UPDATE hook_replay SET due_at = now()")
	if stepped, err := n.replayOnce(b.ctx); err != nil || stepped {
		t.Errorf("it goes on all the same: %v", err)
	}
	if again := b.replay(h, ReplayFrom{After: stopped.Position}); again.ID == first.ID || again.EndedAt != nil || again.Error != nil || again.Done != 0 || again.Size != 19 || again.Deliveries != 0 {
		t.Errorf("begun again from there: %+v", again)
	}
	for name, c := range map[string]struct {
		from ReplayFrom
		code problem.Code
	}{
		"neither":  {ReplayFrom{}, problem.InvalidInput},
		"both":     {ReplayFrom{After: n.feed.Cursor(0), Since: new(time.Now())}, problem.InvalidInput},
		"too fast": {ReplayFrom{After: n.feed.Cursor(0), Rate: MaxReplayRate + 1}, problem.InvalidInput},
		"too slow": {ReplayFrom{After: n.feed.Cursor(0), Rate: -1}, problem.InvalidInput},
		"nonsense": {ReplayFrom{After: "x"}, problem.InvalidCursor},
		"ahead":    {ReplayFrom{After: n.feed.Cursor(21)}, problem.InvalidCursor},
	} {
		if _, err := b.service.Replay(b.ctx, h.ID, c.from); !problem.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, call := range map[string]func(context.Context, uuid.UUID) error{
		"replay": func(ctx context.Context, id uuid.UUID) error {
			_, err := b.service.Replay(ctx, id, ReplayFrom{After: n.feed.Cursor(0)})
			return err
		},
		"read": func(ctx context.Context, id uuid.UUID) error { _, err := b.service.CurrentReplay(ctx, id); return err },
		"stop": b.service.StopReplay,
	} {
		if err := call(b.ctx, uuid.New()); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s of no hook: %v", name, err)
		}
		if err := call(acting(b.ctx, b.newAccount()), h.ID); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s of another account's: %v", name, err)
		}
	}
}

func TestReplay_OfAnInactiveHookDoesNotBeginAndEndsWithTheReason(t *testing.T) {
	b := setup(t)
	h, _ := b.hook("http://127.0.0.1/")
	n := b.idleNode(Config{})
	b.bulk(n, 3, 1)
	b.serveOn(n)
	b.replay(h, ReplayFrom{})
	b.patch(h, `{"active":false}`)
	if stepped, err := n.replayOnce(b.ctx); err != nil || !stepped {
		t.Fatalf("%t, %v", stepped, err)
	}
	if got := b.currentReplay(h); got.EndedAt == nil || got.Error == nil || *got.Error != "The hook was made inactive." {
		t.Errorf("ended: %+v", got)
	}
	if _, err := b.service.Replay(b.ctx, h.ID, ReplayFrom{After: n.feed.Cursor(0)}); !problem.Is(err, problem.Conflict) {
		t.Errorf("of an inactive hook: %v", err)
	}
}

func TestReplay_OfWhatIsNoLongerKept(t *testing.T) {
	b := setup(t)
	h, _ := b.hook("http://127.0.0.1/")
	n := b.idleNode(Config{})
	b.bulk(n, 5, 1)
	b.serveOn(n)
	b.replay(h, ReplayFrom{Rate: 4})
	b.exec("UPDATE feed SET floor = 2")
	b.exec("DELETE FROM item_position WHERE position <= 2")
	if stepped, err := n.replayOnce(b.ctx); err != nil || !stepped {
		t.Fatalf("%t, %v", stepped, err)
	}
	if got := b.currentReplay(h); got.EndedAt == nil || got.Error == nil || *got.Error != "The log no longer keeps what was to come next." {
		t.Errorf("ended: %+v", got)
	}
	if _, err := b.service.Replay(b.ctx, h.ID, ReplayFrom{After: n.feed.Cursor(1)}); !problem.Is(err, problem.CursorExpired) {
		t.Errorf("from an expired cursor: %v", err)
	}
	if got := b.replay(h, ReplayFrom{Since: new(time.Now().Add(-24 * time.Hour))}); got.From != n.feed.Cursor(2) || got.Size != 3 {
		t.Errorf("from a time before the log: %+v", got)
	}
}

// A node that has not yet read what another has fanned out waits for it, and does not take the replay to be at its end.
func TestReplay_IsNotEndedByANodeThatIsBehind(t *testing.T) {
	b := setup(t)
	h, _ := b.hook("http://127.0.0.1/")
	behind, n := b.idleNode(Config{}), b.idleNode(Config{})
	b.bulk(n, 3, 1)
	b.exec("DELETE FROM delivery")
	b.serveOn(n)
	b.replay(h, ReplayFrom{})
	step := func(by *node) Replay {
		t.Helper()
		b.exec("UPDATE hook_replay SET due_at = now()")
		if _, err := by.replayOnce(b.ctx); err != nil {
			t.Fatal(err)
		}
		return b.currentReplay(h)
	}
	if got := step(behind); got.EndedAt != nil || got.Done != 0 {
		t.Errorf("by a node that is behind: %+v", got)
	}
	if got := step(n); got.EndedAt == nil || got.Deliveries != 3 {
		t.Errorf("by one that is not: %+v", got)
	}
}

// The fan-out passes over what was before the hook, also what it has still to go through: that is the replay's.
func TestReplay_HasAllOfBeforeTheHookWhileTheFanOutIsBehind(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	n := b.idleNode(Config{})
	for range 3 {
		b.write(n, uuid.New(), change.Created)
	}
	if err := n.sequencer.Drain(b.ctx); err != nil {
		t.Fatal(err)
	}
	h, _ := b.hook(r.URL)
	b.replay(h, ReplayFrom{})
	b.write(n, uuid.New(), change.Created)
	b.node(Config{})
	b.replayed(h)
	r.awaitCount(4)
	b.eventually("all are delivered", func() bool { return b.states(h)[stateSucceeded] == 4 })
	if len(r.messages) != 4 {
		t.Errorf("%d messages", len(r.messages))
	}
}

func TestReplay_BySeveralNodesMakesNoDuplicatesAndOutlivesOneOfThem(t *testing.T) {
	b := setup(t)
	const items, revisions = 50, 6
	r := b.receiver(nil)
	n := b.idleNode(Config{})
	b.bulk(n, items, revisions)
	h, _ := b.hook(r.URL)
	b.serveOn(n)
	first, second := b.node(Config{}), b.node(Config{})
	b.replay(h, ReplayFrom{Rate: 300})
	r.awaitCount(items)
	first.stop()
	ended := b.replayed(h)
	if ended.Deliveries != items*revisions || ended.Done != items*revisions || ended.Error != nil {
		t.Errorf("ended: %+v", ended)
	}
	b.eventually("all are delivered", func() bool { return b.states(h)[stateSucceeded] == items*revisions })
	second.stop()
	seen := map[string]int{}
	for _, m := range r.messages {
		seen[m.id()]++
	}
	if len(seen) != items*revisions || len(r.messages) != items*revisions {
		t.Errorf("%d messages with %d ids", len(r.messages), len(seen))
	}
	if attempts := fmt.Sprint(value[int](b, "SELECT max(number) FROM delivery_attempt")); attempts != "1" {
		t.Errorf("%s attempts", attempts)
	}
}
