package change

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// startAt makes the log look as if n change ids had been drawn, and all of them had been sequenced and dropped.
func (b *bundle) startAt(n int64) {
	b.t.Helper()
	b.exec("SELECT setval('item_change_id', $1)", n)
	b.exec("INSERT INTO feed_head VALUES (1, 0, $1, '{}', '{}')", n)
}

func TestPartitions_ReadersCrossTheBoundary(t *testing.T) {
	b := setup(t)
	n := b.idleNode()
	b.startAt(999_990) // the migration has created partitions up to 750,000 only
	n.extend()
	late := b.write(uuid.New())
	b.commit(newItems(20)...)
	n.drain()
	mustEnd(b, late.Commit) // an id below the boundary, after some above it
	n.drain()
	b.checkLog(n.log())
	if partitions := value[int](b, "SELECT count(DISTINCT tableoid) FROM item_change"); partitions != 2 {
		t.Fatalf("the changes are in %d partitions", partitions)
	}
	fresh := b.idleNode()
	b.checkLog(fresh.logAfter(0, 3))
}

func TestPartitions_RunningNodeCreatesThemInAdvance(t *testing.T) {
	b := setup(t)
	b.startAt(740_000)
	n := b.node()
	eventually(t, "there are partitions for half a million changes", func() bool {
		return value[bool](b, "SELECT to_regclass('item_change_000004') IS NOT NULL")
	})
	b.commit(uuid.New())
	n.await(1)
}

func TestPartitions_CreatingThemNeitherWaitsForWritersNorBlocksThem(t *testing.T) {
	b := setup(t)
	n := b.idleNode()
	open := b.write(uuid.New())
	b.snapshot()
	b.exec("SELECT setval('item_change_id', 999990)")

	extending, err := b.pool.Begin(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := extending.Exec(b.ctx, "SET LOCAL lock_timeout = '20s'"); err != nil {
		t.Fatal(err)
	}
	if _, err := extending.Exec(b.ctx, "SELECT item_change_extend(500000)"); err != nil {
		t.Fatalf("while a writer is open: %v", err)
	}
	writing, err := b.pool.Begin(b.ctx) // before the new partitions are committed
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writing.Exec(b.ctx, "SET LOCAL lock_timeout = '20s'"); err != nil {
		t.Fatal(err)
	}
	if _, err := writing.Exec(b.ctx, "SELECT setval('item_change_id', 100)"); err != nil {
		t.Fatal(err)
	}
	if _, err := put(b.ctx, writing, b.account, uuid.New()); err != nil {
		t.Fatalf("before the new partitions are committed: %v", err)
	}
	mustEnd(b, writing.Commit)
	mustEnd(b, extending.Commit)
	mustEnd(b, open.Commit)
	n.drain()
	b.checkLog(n.log())
}

func TestSequencer_ContinuesDuringTableMaintenance(t *testing.T) {
	b := setup(t)
	b.startAt(740_000) // partitions are due
	maintaining, err := b.pool.Begin(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	const lock = "LOCK TABLE item_change IN SHARE UPDATE EXCLUSIVE MODE" // as ANALYZE does
	if _, err := maintaining.Exec(b.ctx, lock); err != nil {
		t.Fatal(err)
	}
	n := b.node()
	eventually(t, "the node waits to create partitions", func() bool {
		return value[bool](b,
			`SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'item_change'::regclass)`)
	})
	started := time.Now()
	b.commit(uuid.New())
	n.sequencer.Wake()
	n.await(1)
	if took := time.Since(started); took > queryTimeout/2 {
		t.Fatalf("the change took %s", took)
	}
	mustEnd(b, maintaining.Rollback)
}
