package change

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// ledger returns the work of a consumer that inserts each change's position into a table, up to seven changes at a
// time.
func (b *bundle) ledger() Work {
	b.exec("CREATE TABLE ledger (entry serial, position bigint)") // without a unique key, so that a repeated change shows
	return func(ctx context.Context, tx pgx.Tx, changes []*Change) (int, error) {
		changes = changes[:min(len(changes), 7)]
		positions := make([]int64, len(changes))
		for i, c := range changes {
			positions[i] = int64(c.Position)
		}
		_, err := tx.Exec(ctx, "INSERT INTO ledger (position) SELECT unnest($1::bigint[])", positions)
		return len(changes), err
	}
}

// checkLedger waits until the ledger has the position last, and checks that it has first to last, each once and in
// order.
func (b *bundle) checkLedger(first, last int64) {
	b.t.Helper()
	eventually(b.t, "the consumer has handled all changes", func() bool {
		return value[int64](b, "SELECT coalesce(max(position), 0) FROM ledger") >= last
	})
	positions := value[[]int64](b, "SELECT array_agg(position ORDER BY entry) FROM ledger")
	want := make([]int64, last-first+1)
	for i := range want {
		want[i] = first + int64(i)
	}
	if !slices.Equal(positions, want) {
		b.t.Fatalf("the ledger has %d positions, want %d to %d, each once and in order: %v",
			len(positions), first, last, positions)
	}
}

// consume starts the consumer on the node; stop stops it and waits for its end.
func (n *node) consume(work Work) (stop func()) {
	ctx, cancel := context.WithCancel(n.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		if err := n.feed.Consume(ctx, "test", work); err != nil {
			n.t.Error(err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	n.t.Cleanup(stop)
	return stop
}

func TestConsume_TwoNodesHandleEachChangeOnce(t *testing.T) {
	b := setup(t)
	work := b.ledger()
	one, two := b.node(), b.node()
	one.consume(work)
	two.consume(work)
	load := one.load(3, newItems(5), true)
	two.await(300)
	load.stop()
	one.settle()
	b.checkLedger(1, int64(one.feed.Head()))
}

func TestConsume_FailedWorkIsRolledBackAndRetried(t *testing.T) {
	b := setup(t)
	work := b.ledger()
	n := b.node()
	var calls atomic.Int64
	n.consume(func(ctx context.Context, tx pgx.Tx, changes []*Change) (int, error) {
		if handled, err := work(ctx, tx, changes); err != nil || calls.Add(1) > 1 {
			return handled, err
		}
		return 0, errors.New("failed on purpose, after writing")
	})
	b.commit(newItems(20)...)
	n.sequencer.Wake()
	n.await(20)
	b.checkLedger(1, 20)
}

func TestConsume_CrashInABatchRepeatsNoEffect(t *testing.T) {
	b := setup(t)
	work := b.ledger()
	n := b.node()
	b.commit(newItems(20)...)
	n.sequencer.Wake()
	n.await(20)
	for range 3 {
		written := make(chan struct{})
		var once sync.Once
		stop := n.consume(func(ctx context.Context, tx pgx.Tx, changes []*Change) (int, error) {
			if _, err := work(ctx, tx, changes[:len(changes)/2]); err != nil {
				return 0, err
			}
			err := tx.Conn().PgConn().Conn().Close() // the crash
			once.Do(func() { close(written) })
			return len(changes), err
		})
		<-written
		stop()
		rows := value[int64](b, "SELECT (SELECT count(*) FROM ledger) + (SELECT count(*) FROM consumer_position)")
		if rows != 0 {
			t.Fatalf("%d rows of the batch are left", rows)
		}
	}
	n.consume(work)
	b.checkLedger(1, 20)
}

// A crash of Postgres takes back the last commits that did not wait for the disk, and no later change may come.
func TestConsume_AnIdleConsumerNoticesThatItsPositionWasTakenBack(t *testing.T) {
	b := setup(t)
	work := b.ledger()
	n := b.node()
	n.consume(work)
	b.commit(newItems(3)...)
	n.sequencer.Wake()
	n.await(3)
	b.checkLedger(1, 3)
	b.exec("WITH gone AS (DELETE FROM ledger) UPDATE consumer_position SET position = 1")
	eventually(t, "the consumer handles the changes again", func() bool {
		return value[int64](b, "SELECT count(*) FROM ledger WHERE position > 1") == 2
	})
}

func TestConsume_NewConsumerStartsAtTheFloor(t *testing.T) {
	b := setup(t)
	work := b.ledger()
	b.commit(newItems(10)...)
	b.idleNode().drain()
	b.drop(4)
	b.node().consume(work)
	b.commit(uuid.New())
	b.checkLedger(5, 11)
}

func TestConsume_NeedsOnlyOneConnection(t *testing.T) {
	b := setup(t)
	work := b.ledger()
	b.commit(newItems(10)...)
	b.idleNode().drain()
	b.url = b.urlWith("pool_max_conns", "1")
	n := b.idleNode() // has nothing in memory, so it reads the database
	n.consume(work)
	b.checkLedger(1, 10)
}

func TestConsume_StoresOnlyTheLastPosition(t *testing.T) {
	b := setup(t)
	work := b.ledger()
	n := b.idleNode()
	for range 5 {
		b.commit(uuid.New())
		n.drain()
		if _, _, err := n.feed.consumeBatch(b.ctx, "test", work); err != nil {
			t.Fatal(err)
		}
	}
	if kept := value[int64](b, "SELECT sum(position) FROM consumer_position"); kept != 5 {
		t.Fatalf("the sum of the stored positions is %d, want the last position 5", kept)
	}
	b.checkLedger(1, 5)
}
