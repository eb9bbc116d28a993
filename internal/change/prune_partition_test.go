package change

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change/internal/store"
)

// startAtPosition makes the log look as if n positions had been assigned, and all of them had been dropped.
func (b *bundle) startAtPosition(n int64) {
	b.t.Helper()
	b.exec("INSERT INTO feed_head VALUES (1, $1, 0, '{}', '{}')", n)
	b.exec("UPDATE feed SET floor = $1", n)
}

func TestPruner_DropsPositionsWithTheirChanges(t *testing.T) {
	b := setup(t)
	b.startAtPosition(partition - 11)
	n := b.idleNode()
	n.extend()
	b.commit(newItems(20)...)
	n.drain()
	before := b.partitions("item_position")
	b.prune(b.pruner(Retention{MaxAge: time.Hour}), 2*time.Hour)
	if floor, left := b.floor(), b.partitions("item_position"); floor != partition+9 || left != before-1 {
		t.Errorf("the floor is %d, %d of %d partitions are left", floor, left, before)
	}
}

func TestPruner_DropsAttemptsOfDeliveriesWithTheirChanges(t *testing.T) {
	b := setup(t)
	b.startAtPosition(partition - 11)
	n := b.idleNode()
	n.extend()
	hook := uuid.New()
	b.exec(`INSERT INTO hook (id, account_id, url, description, events, active, secret, after_position, after_changes)
		VALUES ($1, $2, 'https://example.com/', '', '{}', true, 'x', 0, '{}')`, hook, b.account)
	b.commit(newItems(20)...)
	n.drain()
	b.exec(`INSERT INTO delivery_attempt (position, hook_id, number, delivery_id, account_id, item_id, change_id, revision,
			kind, trigger, created_at, at, outcome, closes)
		SELECT p.position, $1, 1, gen_random_uuid(), $2, gen_random_uuid(), p.change_id, 1,
			'CREATED', 'hook', now(), now(), 'succeeded', true FROM item_position p`, hook, b.account)
	before := b.partitions("delivery_attempt")
	b.prune(b.pruner(Retention{MaxAge: time.Hour}, partition-1), 2*time.Hour) // what is held stays
	rows, left := b.rows("delivery_attempt"), b.partitions("delivery_attempt")
	if b.floor() != partition-1 || rows != 10 || left != before {
		t.Errorf("the floor is %d, %d attempts and %d of %d partitions are left", b.floor(), rows, left, before)
	}
	b.prune(b.pruner(Retention{MaxAge: time.Hour}), 2*time.Hour)
	rows, left = b.rows("delivery_attempt"), b.partitions("delivery_attempt")
	if rows != 0 || left != before-1 {
		t.Errorf("%d attempts and %d of %d partitions are left", rows, left, before)
	}
}

// A transaction that has read the log and stays open delays only the pruner, and only for two seconds.
func TestPruner_NeitherWaitsForReadersNorBlocksWriters(t *testing.T) {
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
	p := b.pruner(Retention{MaxAge: time.Hour})
	pruned := make(chan error, 1)
	go func() { pruned <- p.prune(b.ctx, time.Now().Add(62*time.Minute)) }()
	for done := false; !done; {
		select {
		case err := <-pruned:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
		}
		b.commit(uuid.New())
		n.drain()
		n.extend()
	}
	if left := b.partitions("item_change"); left != before || b.floor() != 10 {
		t.Fatalf("%d of %d partitions are left, the floor is %d", left, before, b.floor())
	}
	b.prune(p, 62*time.Minute) // the reader is still open
	mustEnd(b, reader.Rollback)
	b.prune(p, 62*time.Minute)
	if left := b.partitions("item_change"); left != before-1 {
		t.Errorf("%d of %d partitions are left", left, before)
	}
}

func TestPruner_FinishesWhatAnotherStarted(t *testing.T) {
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

func TestPruner_OneWorksAtATime(t *testing.T) {
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
	p := b.pruner(Retention{MaxAge: time.Hour})
	b.prune(p, 2*time.Hour)
	if b.floor() != 0 {
		t.Fatal("it pruned while another held the lock")
	}
	if err := other.Close(b.ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the lock is free", func() bool {
		b.prune(p, 2*time.Hour)
		return b.floor() == 20
	})
}
