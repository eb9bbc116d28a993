package change

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/problem"
)

// listener selects the pid of the connection that listens, or 0.
const listener = `SELECT coalesce(max(pid), 0) FROM pg_stat_activity
	WHERE datname = current_database() AND application_name = 'itemcast itemcast_position'`

func TestFeed_LostConnectionLosesNothingAndReconnects(t *testing.T) {
	b := setup(t)
	n := b.node()
	for range 3 {
		var before int
		eventually(t, "the feed listens", func() bool { before = value[int](b, listener); return before != 0 })
		lost, head := time.Now(), n.feed.Head()
		b.exec("SELECT pg_terminate_backend($1)", before)
		b.commit(newItems(3)...)
		n.sequencer.Wake()
		n.await(head + 3)
		eventually(t, "the feed listens again", func() bool {
			now := value[int](b, listener)
			return now != 0 && now != before
		})
		soon(t, lost)
	}
	n.settle()
	b.checkLog(n.log())
}

func TestFeed_PollingFindsAChangeWhoseNotificationWasLost(t *testing.T) {
	b := setup(t)
	n := b.idleNode()
	running := b.node()
	// Like a step, but without NOTIFY.
	b.exec(`WITH item AS (INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous, trigger,
				document, occurred_at)
			VALUES ($1, $2, 1, 'CREATED', '{}', '{}', 'hook', '', now()) RETURNING id),
		head AS (INSERT INTO feed_head SELECT 1, 1, id, '{}', '{}' FROM item)
		INSERT INTO item_position SELECT 1, id FROM item`, b.account, uuid.New())
	written := time.Now()
	running.await(1)
	soon(t, written)
	if err := n.feed.catchUp(b.ctx); err != nil || n.feed.Head() != 1 {
		t.Fatalf("head %d, %v", n.feed.Head(), err)
	}
}

// soon checks that it took at most a poll interval, with generous room for a busy machine.
func soon(t *testing.T, since time.Time) {
	t.Helper()
	if took := time.Since(since); took > 15*pollInterval {
		t.Fatalf("it took %s", took)
	}
}

func TestFeed_ReadsTheSameFromMemoryAndDatabase(t *testing.T) {
	b := setup(t)
	old := b.idleNode()
	for range 30 {
		b.commit(newItems(10)...)
		old.drain()
	}
	young := b.idleNode() // starts at the head, so it has nothing in memory
	b.commit(newItems(10)...)
	young.drain()
	old.drain()
	for range 200 {
		after, limit := Position(rand.IntN(312)), 1+rand.IntN(40)
		fromMemory, err := old.feed.Read(b.ctx, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		fromDatabase, err := young.feed.Read(b.ctx, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(fromMemory) != len(fromDatabase) {
			t.Fatalf("after %d, limit %d: %d from memory, %d from the database",
				after, limit, len(fromMemory), len(fromDatabase))
		}
		sameLog(t, fromMemory, fromDatabase)
	}
}

func TestFeed_OldPositionsAreReadWhileNewOnesArrive(t *testing.T) {
	b := setup(t)
	writing := b.node()
	load := writing.load(3, newItems(20), true)
	writing.await(200)
	late := b.node()
	followers := []*follower{late.follow(0, 7), late.follow(100, 30), late.follow(late.feed.Head(), 1)}
	late.await(late.feed.Head() + 200)
	load.stop()
	late.settle()
	log := late.log()
	b.checkLog(log)
	for _, f := range followers {
		eventually(t, "the follower has read a change", func() bool { return f.read.Load() > 0 })
		f.stop()
		sameLog(t, log[f.log[0].Position-1:], f.log)
	}
}

// drop drops the changes up to floor, as a Pruner does.
func (b *bundle) drop(floor Position) {
	b.t.Helper()
	b.exec(`WITH moved AS (UPDATE feed SET floor = $1),
		dropped AS (DELETE FROM item_position WHERE position <= $1 RETURNING change_id)
		DELETE FROM item_change USING dropped WHERE id = change_id`, int64(floor))
}

func TestFeed_ExpiredCursorErrorNamesTheOldestValidCursor(t *testing.T) {
	b := setup(t)
	b.commit(newItems(10)...)
	b.idleNode().drain()
	b.drop(6)
	n := b.idleNode()

	for p := range Position(6) {
		_, err := n.feed.Read(b.ctx, p, 5)
		checkExpired(t, n, err, 6)
		_, err = n.feed.ParseCursor(b.ctx, n.feed.Cursor(p))
		checkExpired(t, n, err, 6)
	}
	if p, err := n.feed.ParseCursor(b.ctx, n.feed.Cursor(6)); err != nil || p != 6 {
		t.Fatalf("the oldest cursor is %d, %v", p, err)
	}
	if log := n.logAfter(6, 2); len(log) != 4 || log[0].Position != 7 {
		t.Fatalf("%d changes follow the oldest cursor", len(log))
	}
}

func checkExpired(t *testing.T, n *node, err error, oldest Position) {
	t.Helper()
	if !problem.Is(err, problem.CursorExpired) {
		t.Fatalf("want CURSOR_EXPIRED, got %v", err)
	}
	detail := problem.Of(err).Detail
	if p, err := n.feed.cursors.decode(detail[len(detail)-32:]); err != nil || p != oldest {
		t.Fatalf("%q ends with a cursor of %d, want %d, %v", detail, p, oldest, err)
	}
}

func TestFeed_NodeThatMissedDroppedChangesContinuesAtTheFloor(t *testing.T) {
	b := setup(t)
	away := b.idleNode()
	b.commit(newItems(3)...)
	away.drain() // it has 1 to 3 in memory
	b.commit(newItems(10)...)
	if err := b.idleNode().sequencer.Drain(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.drop(8)
	if err := away.feed.catchUp(b.ctx); err != nil {
		t.Fatal(err)
	}
	if log := away.logAfter(8, 2); len(log) != 5 || log[0].Position != 9 {
		t.Fatalf("%d changes follow, from %d", len(log), log[0].Position)
	}
	_, err := away.feed.Read(b.ctx, 2, 5)
	checkExpired(t, away, err, 8)
}
