package change

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// gaps returns the ids that the sequencer still looks up.
func (b *bundle) gaps() []int64 {
	b.t.Helper()
	return value[[]int64](b, "SELECT gaps FROM feed_head ORDER BY step DESC LIMIT 1")
}

func itemsOf(log []*Change) (items []uuid.UUID) {
	for _, c := range log {
		items = append(items, c.ItemID)
	}
	return items
}

func TestSequencer_OpenWriterDelaysNobodyAndGetsTheNextPosition(t *testing.T) {
	b := setup(t)
	n := b.node()
	items := newItems(4)

	late := b.write(items[0])
	b.commit(items[1], items[2])
	n.sequencer.Wake()
	n.await(2)
	if gaps := b.gaps(); len(gaps) != 1 {
		t.Fatalf("gaps: %v", gaps)
	}
	mustEnd(b, late.Commit)
	n.sequencer.Wake()
	n.await(3)
	b.commit(items[3])
	n.sequencer.Wake()
	n.await(4)
	if got, want := itemsOf(n.log()), []uuid.UUID{items[1], items[2], items[0], items[3]}; !slices.Equal(got, want) {
		t.Fatalf("the log is %v, want %v", got, want)
	}
	if gaps := b.gaps(); len(gaps) != 0 {
		t.Fatalf("gaps are left: %v", gaps)
	}
}

func TestSequencer_OpenReaderDelaysNobody(t *testing.T) {
	b := setup(t)
	n := b.node()
	reader := b.snapshot()
	b.commit(newItems(5)...)
	n.sequencer.Wake()
	n.await(5)
	mustEnd(b, reader.Rollback)
}

// snapshot opens a transaction that reads the database as it is now.
func (b *bundle) snapshot() pgx.Tx {
	b.t.Helper()
	tx, err := b.pool.BeginTx(b.ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(b.ctx, "SELECT count(*) FROM feed_head"); err != nil {
		b.t.Fatal(err)
	}
	return tx
}

func TestSequencer_RollbackLeavesNoGapForReaders(t *testing.T) {
	b := setup(t)
	n := b.node()
	items := newItems(3)
	aborted := b.write(items[0])
	b.commit(items[1])
	mustEnd(b, aborted.Rollback)
	b.commit(items[2], items[0])
	n.sequencer.Wake()
	n.await(3)
	log := n.log()
	b.checkLog(log)
	if got, want := itemsOf(log), []uuid.UUID{items[1], items[2], items[0]}; !slices.Equal(got, want) {
		t.Fatalf("the log is %v, want %v", got, want)
	}
	eventually(t, "the rollback's gap is dropped", func() bool { n.sequencer.Wake(); return len(b.gaps()) == 0 })
}

func TestSequencer_GapOfARollbackStaysWhileAnOlderTransactionIsOpen(t *testing.T) {
	b := setup(t)
	n := b.idleNode()
	items := newItems(3)
	open := b.write(items[0])
	mustEnd(b, b.write(items[1]).Rollback)
	b.commit(items[2])
	for range 5 {
		n.drain()
	}
	if gaps := b.gaps(); len(gaps) != 2 { // the open one and the rolled-back one look alike
		t.Fatalf("gaps: %v", gaps)
	}
	mustEnd(b, open.Commit)
	eventually(t, "both gaps are dropped", func() bool { n.drain(); return len(b.gaps()) == 0 })
	b.checkLog(n.log())
}

func TestSequencer_OpenReaderDoesNotKeepGaps(t *testing.T) {
	b := setup(t)
	n := b.idleNode()
	b.snapshot()
	mustEnd(b, b.write(uuid.New()).Rollback)
	b.commit(uuid.New())
	eventually(t, "the rollback's gap is dropped", func() bool { n.drain(); return len(b.gaps()) == 0 })
}

func TestSequencer_DrainNumbersMoreThanABatch(t *testing.T) {
	b := setup(t)
	n := b.idleNode()
	tx := b.write(uuid.New())
	if _, err := tx.Exec(b.ctx, `INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous,
			trigger, document, occurred_at)
		SELECT account_id, gen_random_uuid(), 1, kind, changed_fields, previous, trigger, document, occurred_at
		FROM item_change, generate_series(1, $1::int)`, 2*stepBatch); err != nil {
		t.Fatal(err)
	}
	mustEnd(b, tx.Commit)
	n.drain()
	if head := n.feed.Head(); head != 2*stepBatch+1 {
		t.Fatalf("the log ends at %d", head)
	}
}

func TestRecord_WritersOfDifferentItemsShareNoLock(t *testing.T) {
	b := setup(t)
	n := b.node() // the sequencer shares no lock with writers either
	b.write(uuid.New())
	b.write(uuid.New())

	third, err := b.pool.Begin(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = third.Rollback(context.Background()) }()
	if _, err := third.Exec(b.ctx, "SET LOCAL lock_timeout = '20s'"); err != nil {
		t.Fatal(err)
	}
	if _, err := put(b.ctx, third, b.account, uuid.New()); err != nil {
		t.Fatal(err)
	}
	// Allowed: locks of tables and indexes in modes that do not conflict with each other, and the transaction's own.
	unexpected := value[[]string](b, `SELECT coalesce(array_agg(l.locktype || ' ' || l.mode), '{}') FROM pg_locks l
		JOIN pg_stat_activity a USING (pid)
		WHERE a.datname = current_database() AND a.backend_xid IS NOT NULL AND NOT (
			l.locktype = 'relation' AND l.mode IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
			OR l.locktype IN ('transactionid', 'virtualxid') AND l.granted)`)
	if len(unexpected) > 0 {
		t.Fatalf("open writers hold %v", unexpected)
	}
	committing, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	if err := third.Commit(committing); err != nil {
		t.Fatalf("commit while other writers are open: %v", err)
	}
	n.sequencer.Wake()
	n.await(1)
}
