package change

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/problem"
)

// partition is the number of changes in a partition.
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

// prune makes one pass of the pruner, as if some time had passed.
func (b *bundle) prune(p *Pruner, passed time.Duration) {
	b.t.Helper()
	if err := p.prune(b.ctx, time.Now().Add(passed)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) floor() Position {
	return Position(value[int64](b, "SELECT floor FROM feed"))
}

func (b *bundle) rows(table string) int {
	return value[int](b, "SELECT count(*) FROM "+table)
}

func (b *bundle) partitions(parent string) int {
	return value[int](b, "SELECT count(*) FROM log_partitions($1)", parent)
}

// extend creates the log's partitions in advance.
func (n *node) extend() {
	n.t.Helper()
	if err := n.sequencer.extend(n.ctx); err != nil {
		n.t.Fatal(err)
	}
}

// acrossPartitions writes 10 changes into the first partition of the log and 10 into the second.
func (b *bundle) acrossPartitions() *node {
	b.t.Helper()
	b.startAt(partition - 11)
	n := b.idleNode()
	n.extend()
	b.commit(newItems(20)...)
	n.drain()
	n.extend()
	return n
}

func TestPruner_DropsOldChangesAndExpiresTheirCursors(t *testing.T) {
	b := setup(t)
	n := b.acrossPartitions()
	p := b.pruner(Retention{MaxAge: time.Hour})
	b.prune(p, 30*time.Minute)
	if floor := b.floor(); floor != 0 {
		t.Fatalf("the floor is %d while nothing is old", floor)
	}
	before := b.partitions("item_change")
	b.prune(p, 62*time.Minute) // a full partition is too old, and no change is a tenth older
	if floor, left := b.floor(), b.partitions("item_change"); floor != 10 || left != before-1 {
		t.Fatalf("the floor is %d, %d of %d partitions are left", floor, left, before)
	}
	fresh := b.idleNode() // has nothing in memory
	for after, expired := range map[Position]bool{0: true, 9: true, 10: false, 15: false} {
		changes, err := fresh.feed.Read(b.ctx, after, 100)
		if expired != problem.Is(err, problem.CursorExpired) || !expired && len(changes) != int(20-after) {
			t.Errorf("after %d: %d changes, %v", after, len(changes), err)
		}
		_, err = fresh.feed.ParseCursor(b.ctx, fresh.feed.Cursor(after))
		if expired != problem.Is(err, problem.CursorExpired) {
			t.Errorf("the cursor of %d: %v", after, err)
		}
	}
	b.prune(p, 67*time.Minute) // the others are more than a tenth older
	if floor, rows := b.floor(), b.rows("item_change"); floor != 20 || rows != 0 {
		t.Fatalf("the floor is %d, %d changes are left", floor, rows)
	}
	b.commit(uuid.New())
	n.drain()
	if log := n.logAfter(20, 10); len(log) != 1 || log[0].Position != 21 {
		t.Errorf("after the floor follow %+v", log)
	}
}

func TestPruner_KeepsWhatIsStillNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		holds    []Position
		consumed int64
		want     Position
	}{
		"by a delivery":              {[]Position{7}, 20, 7},
		"by a consumer":              {nil, 4, 4},
		"by both":                    {[]Position{7}, 4, 4},
		"by neither":                 {nil, 20, 20},
		"by a consumer at the start": {nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.acrossPartitions()
			b.exec("INSERT INTO consumer_position VALUES ('a', $1), ('b', 20)", c.consumed)
			b.prune(b.pruner(Retention{MaxAge: time.Hour, MaxBytes: 1}, c.holds...), 2*time.Hour)
			if floor := b.floor(); floor != c.want {
				t.Errorf("the floor is %d, want %d", floor, c.want)
			}
			if rows := b.rows("item_change"); rows != int(20-c.want) {
				t.Errorf("%d changes are left", rows)
			}
		})
	}
}

func TestPruner_LimitsTheSizeAndNeverDropsWhatHasNoPositionYet(t *testing.T) {
	b := setup(t)
	b.startAt(partition - 11)
	n := b.idleNode()
	n.extend()
	away := b.idleNode() // misses changes that are dropped
	late := b.write(uuid.New())
	b.commit(newItems(20)...)
	n.drain()
	p := b.pruner(Retention{MaxBytes: 1})
	b.prune(p, 0)
	if floor := b.floor(); floor != 0 {
		t.Fatalf("the floor is %d while a change of the partition is not committed", floor)
	}
	mustEnd(b, late.Commit)
	n.drain()
	b.prune(p, 0)
	// The late change is in the first partition and has the last position: everything before it expires with it.
	if floor, rows := b.floor(), b.rows("item_change"); floor != 21 || rows != 11 {
		t.Fatalf("the floor is %d, %d changes are left", floor, rows)
	}
	b.commit(uuid.New())
	n.drain()
	away.drain()
	for name, one := range map[string]*node{"a node that read all changes": n, "a node that was away": away} {
		if log := one.logAfter(21, 10); len(log) != 1 || log[0].Position != 22 || one.feed.Head() != 22 {
			t.Errorf("%s reads %+v after the floor, its head is %d", name, log, one.feed.Head())
		}
	}
}

func TestPruner_RevisionsContinueAfterADeletionWasDropped(t *testing.T) {
	for name, passed := range map[string]time.Duration{"with its partition": 62 * time.Minute, "as a row": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.startAt(partition - 11)
			n := b.idleNode()
			n.extend()
			item := uuid.New()
			b.commit(item, item)
			tx, err := b.pool.Begin(b.ctx)
			if err != nil {
				t.Fatal(err)
			}
			err = Record(b.ctx, tx, Change{
				AccountID: b.account, ItemID: item, Revision: 3, Kind: Deleted, Trigger: TriggerWrite,
				Document: documentOf(item, 2), OccurredAt: time.Now(),
			})
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
			last, err := LastRevision(b.ctx, b.pool, b.account, item)
			if err != nil || last != 3 {
				t.Errorf("the last revision is %d, %v", last, err)
			}
			// The id stays with its account.
			if last, err := LastRevision(b.ctx, b.pool, uuid.New(), item); !errors.Is(err, ErrForeignID) {
				t.Errorf("for another account, the last revision is %d, %v", last, err)
			}
		})
	}
}
