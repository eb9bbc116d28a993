package change

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/problem"
)

// partition is how many changes one holds.
const partition = 250_000

func (b *bundle) pruner(r Retention, holds ...Position) *Pruner {
	b.t.Helper()
	return NewPruner(open(b.t, b.url), r, func(context.Context) (Position, error) {
		if len(holds) > 0 {
			return holds[0], nil
		}
		return math.MaxInt64, nil
	}, slog.New(slog.NewTextHandler(b.t.Output(), nil)))
}

// retain has a keeper look after some time has passed.
func (b *bundle) prune(k *Pruner, passed time.Duration) {
	b.t.Helper()
	if err := k.prune(b.ctx, time.Now().Add(passed)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) floor() Position {
	return Position(value[int64](b, "SELECT floor FROM feed"))
}

func (b *bundle) partitions(parent string) int {
	return value[int](b, "SELECT count(*) FROM log_partitions($1)", parent)
}

// acrossPartitions writes 10 changes into the first partition of the log and 10 into the second.
func (b *bundle) acrossPartitions() *node {
	b.t.Helper()
	b.startAt(partition - 11)
	n := b.idleNode()
	if err := n.sequencer.extend(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	b.commit(newItems(20)...)
	n.drain()
	if err := n.sequencer.extend(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestPruner_LetsGoOfWhatIsOldAndExpiresItsCursors(t *testing.T) {
	b := setup(t)
	n := b.acrossPartitions()
	k := b.pruner(Retention{MaxAge: time.Hour})
	b.prune(k, 30*time.Minute)
	if floor := b.floor(); floor != 0 {
		t.Fatalf("the floor is %d while nothing is old", floor)
	}
	before := b.partitions("item_change")
	b.prune(k, 62*time.Minute) // a partition is due, and no change overdue
	if floor, left := b.floor(), b.partitions("item_change"); floor != 10 || left != before-1 {
		t.Fatalf("the floor is %d, %d of %d partitions are left", floor, left, before)
	}
	fresh := b.idleNode() // has nothing in memory
	for after, expired := range map[Position]bool{0: true, 9: true, 10: false, 15: false} {
		changes, err := fresh.feed.Read(b.ctx, after, 100)
		if expired != problem.Is(err, problem.CursorExpired) || !expired && len(changes) != int(20-after) {
			t.Errorf("after %d: %d changes, %v", after, len(changes), err)
		}
		if _, err := fresh.feed.ParseCursor(b.ctx, fresh.feed.Cursor(after)); expired != problem.Is(err, problem.CursorExpired) {
			t.Errorf("the cursor of %d: %v", after, err)
		}
	}
	b.prune(k, 67*time.Minute) // more than a tenth over
	if floor, rows := b.floor(), value[int](b, "SELECT count(*) FROM item_change"); floor != 20 || rows != 0 {
		t.Fatalf("the floor is %d, %d changes are left", floor, rows)
	}
	b.commit(uuid.New())
	n.drain()
	if log := n.logAfter(20, 10); len(log) != 1 || log[0].Position != 21 {
		t.Errorf("then comes %+v", log)
	}
}

func TestPruner_PositionsGoWithTheirChanges(t *testing.T) {
	b := setup(t)

	b.exec("INSERT INTO feed_head VALUES (1, $1, 0, '{}', '{}')", partition-11)
	b.exec("UPDATE feed SET floor = $1", partition-11)
	n := b.idleNode()
	if err := n.sequencer.extend(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.commit(newItems(20)...)
	n.drain()
	before := b.partitions("item_position")
	b.prune(b.pruner(Retention{MaxAge: time.Hour}), 2*time.Hour)
	if floor, left := b.floor(), b.partitions("item_position"); floor != partition+9 || left != before-1 {
		t.Errorf("the floor is %d, %d of %d partitions are left", floor, left, before)
	}
}

func TestPruner_AttemptsOfDeliveriesGoWithTheirChanges(t *testing.T) {
	b := setup(t)
	b.exec("INSERT INTO feed_head VALUES (1, $1, 0, '{}', '{}')", partition-11)
	b.exec("UPDATE feed SET floor = $1", partition-11)
	n := b.idleNode()
	if err := n.sequencer.extend(b.ctx); err != nil {
		t.Fatal(err)
	}
	hook := uuid.New()
	b.exec("INSERT INTO hook (id, account_id, url, description, events, active, secret, after_position, after_changes) VALUES ($1, $2, 'https://example.com/', '', '{}', true, 'x', 0, '{}')", hook, b.account)
	b.commit(newItems(20)...)
	n.drain()
	b.exec(`INSERT INTO delivery_attempt (position, hook_id, number, delivery_id, account_id, item_id, change_id, revision, kind, trigger, created_at, at, outcome, closes)
		SELECT p.position, $1, 1, gen_random_uuid(), $2, gen_random_uuid(), p.change_id, 1, 'CREATED', 'hook', now(), now(), 'succeeded', true FROM item_position p`,
		hook, b.account)
	before := b.partitions("delivery_attempt")
	b.prune(b.pruner(Retention{MaxAge: time.Hour}, partition-1), 2*time.Hour) // what is held stays
	if rows, left := value[int](b, "SELECT count(*) FROM delivery_attempt"), b.partitions("delivery_attempt"); b.floor() != partition-1 || rows != 10 || left != before {
		t.Errorf("the floor is %d, %d attempts and %d of %d partitions are left", b.floor(), rows, left, before)
	}
	b.prune(b.pruner(Retention{MaxAge: time.Hour}), 2*time.Hour)
	if rows, left := value[int](b, "SELECT count(*) FROM delivery_attempt"), b.partitions("delivery_attempt"); rows != 0 || left != before-1 {
		t.Errorf("%d attempts and %d of %d partitions are left", rows, left, before)
	}
}

func TestPruner_KeepsWhatSomebodyStillNeeds(t *testing.T) {
	for name, c := range map[string]struct {
		holds    []Position
		consumed int64
		want     Position
	}{
		"a delivery":            {[]Position{7}, 20, 7},
		"a consumer":            {nil, 4, 4},
		"both":                  {[]Position{7}, 4, 4},
		"neither":               {nil, 20, 20},
		"a consumer far behind": {nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.acrossPartitions()
			b.exec("INSERT INTO consumer_position VALUES ('a', $1), ('b', 20)", c.consumed)
			k := b.pruner(Retention{MaxAge: time.Hour, MaxBytes: 1}, c.holds...)
			b.prune(k, 2*time.Hour)
			if floor := b.floor(); floor != c.want {
				t.Errorf("the floor is %d, want %d", floor, c.want)
			}
			if rows := value[int](b, "SELECT count(*) FROM item_change"); rows != int(20-c.want) {
				t.Errorf("%d changes are left", rows)
			}
		})
	}
}

func TestPruner_KeepsToTheSizeAndNeverDropsWhatMayStillBeNumbered(t *testing.T) {
	b := setup(t)
	b.startAt(partition - 11)
	n := b.idleNode()
	if err := n.sequencer.extend(b.ctx); err != nil {
		t.Fatal(err)
	}
	away := b.idleNode() // for longer than what it has missed is kept
	late := b.write(uuid.New())
	b.commit(newItems(20)...)
	n.drain()
	k := b.pruner(Retention{MaxBytes: 1})
	b.prune(k, 0)
	if floor := b.floor(); floor != 0 {
		t.Fatalf("the floor is %d while a change of the partition is not committed", floor)
	}
	mustEnd(b, late.Commit)
	n.drain()
	b.prune(k, 0)
	// The late one is in the first partition and has the last position: all before it is expired with it.
	if floor, rows := b.floor(), value[int](b, "SELECT count(*) FROM item_change"); floor != 21 || rows != 11 {
		t.Fatalf("the floor is %d, %d changes are left", floor, rows)
	}
	b.commit(uuid.New())
	n.drain()
	away.drain()
	for name, one := range map[string]*node{"of a node that was there": n, "of a node that was away": away} {
		if log := one.logAfter(21, 10); len(log) != 1 || log[0].Position != 22 || one.feed.Head() != 22 {
			t.Errorf("then comes, %s, %+v, at %d", name, log, one.feed.Head())
		}
	}
}

// A transaction that has read the log, and is left open, keeps nobody but the keeper waiting, and that for a moment.
func TestPruner_WaitsForNobodyAndNobodyForIt(t *testing.T) {
	b := setup(t)
	n := b.acrossPartitions()
	reader, err := b.pool.Begin(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Rollback(context.Background()) }()
	if _, err := reader.Exec(b.ctx, "SELECT count(*) FROM item_change"); err != nil {
		t.Fatal(err)
	}
	before := b.partitions("item_change")
	k := b.pruner(Retention{MaxAge: time.Hour})
	looking := make(chan struct{})
	go func() {
		defer close(looking)
		b.prune(k, 62*time.Minute)
	}()
	for done := false; !done; {
		select {
		case <-looking:
			done = true
		default:
		}
		b.commit(uuid.New())
		n.drain()
		if err := n.sequencer.extend(b.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if left := b.partitions("item_change"); left != before || b.floor() != 10 {
		t.Fatalf("%d of %d partitions are left, the floor is %d", left, before, b.floor())
	}
	b.prune(k, 62*time.Minute) // in vain again
	mustEnd(b, reader.Rollback)
	b.prune(k, 62*time.Minute)
	if left := b.partitions("item_change"); left != before-1 {
		t.Errorf("%d of %d partitions are left", left, before)
	}
}

func TestPruner_FinishesWhatAnotherHasBegun(t *testing.T) {
	b := setup(t)
	b.acrossPartitions()
	b.exec("UPDATE feed SET floor = 10")
	b.exec("ALTER TABLE item_change DETACH PARTITION item_change_000000")
	before := b.partitions("item_change")
	b.prune(b.pruner(Retention{}), 0)
	if left := b.partitions("item_change"); left != before-1 || b.floor() != 10 {
		t.Errorf("%d of %d partitions are left, the floor is %d", left, before, b.floor())
	}
}

func TestPruner_RevisionsGoOnAfterTheLogHasForgottenADeletion(t *testing.T) {
	for name, passed := range map[string]time.Duration{"by partition": 62 * time.Minute, "one by one": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.startAt(partition - 11)
			n := b.idleNode()
			if err := n.sequencer.extend(b.ctx); err != nil {
				t.Fatal(err)
			}
			item := uuid.New()
			b.commit(item, item)
			tx, err := b.pool.Begin(b.ctx)
			if err != nil {
				t.Fatal(err)
			}
			err = Record(b.ctx, tx, Change{AccountID: b.account, ItemID: item, Revision: 3, Kind: Deleted, Trigger: TriggerWrite, Document: documentOf(item, 2), OccurredAt: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			mustEnd(b, tx.Commit)
			b.commit(newItems(20)...)
			n.drain()
			b.prune(b.pruner(Retention{MaxAge: time.Hour}), passed)
			if rows := value[int](b, "SELECT count(*) FROM item_change WHERE item_id = $1", item); rows != 0 {
				t.Fatalf("%d changes of the item are left", rows)
			}
			last, err := store.New(b.pool).LastRevision(b.ctx, store.LastRevisionParams{AccountID: b.account, ItemID: item})
			if err != nil || last != 3 {
				t.Errorf("the last revision is %d, %v", last, err)
			}
		})
	}
}

func TestPruner_OneOfThemIsAtIt(t *testing.T) {
	b := setup(t)
	b.acrossPartitions()
	other, err := pgx.Connect(b.ctx, b.url)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if _, err := store.New(other).TryLockRetention(b.ctx); err != nil {
		t.Fatal(err)
	}
	k := b.pruner(Retention{MaxAge: time.Hour})
	b.prune(k, 2*time.Hour)
	if b.floor() != 0 {
		t.Fatal("two are at it")
	}
	if err := other.Close(b.ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the lock is free", func() bool {
		b.prune(k, 2*time.Hour)
		return b.floor() == 20
	})
}
