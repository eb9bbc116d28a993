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

// ledger is what a consumer does with the changes, up to seven at a time: it writes each one's position down.
func (b *bundle) ledger() Work {
	b.exec("CREATE TABLE ledger (entry serial, position bigint)") // nothing stops it from writing one twice
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

// checkLedger waits until the position last is written down, and checks that first to last are, each once and in order.
func (b *bundle) checkLedger(first, last int64) {
	b.t.Helper()
	eventually(b.t, "the consumer has come to the end", func() bool {
		return value[int64](b, "SELECT coalesce(max(position), 0) FROM ledger") >= last
	})
	positions := value[[]int64](b, "SELECT array_agg(position ORDER BY entry) FROM ledger")
	want := make([]int64, last-first+1)
	for i := range want {
		want[i] = first + int64(i)
	}
	if !slices.Equal(positions, want) {
		b.t.Fatalf("%d positions are in the ledger, not each of %d to %d once and in order: %v", len(positions), first, last, positions)
	}
}

// consume starts the consumer on the node; stop ends it and waits for that.
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

func TestConsume_OnTwoNodesEachChangeHasItsEffectOnce(t *testing.T) {
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

func TestConsume_FailedWorkIsTriedAgainAndLeavesNothingBehind(t *testing.T) {
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

func TestConsume_CrashInABatchRepeatsNothingInEffect(t *testing.T) {
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
			err := tx.Conn().PgConn().Conn().Close() // the crash comes here
			once.Do(func() { close(written) })
			return len(changes), err
		})
		<-written
		stop()
		if n := value[int64](b, "SELECT (SELECT count(*) FROM ledger) + (SELECT count(*) FROM consumer_position)"); n != 0 {
			t.Fatalf("%d rows of the batch are left", n)
		}
	}
	n.consume(work)
	b.checkLedger(1, 20)
}

func TestConsume_NewConsumerStartsWhereTheKeptLogBegins(t *testing.T) {
	b := setup(t)
	work := b.ledger()
	b.commit(newItems(10)...)
	b.idleNode().drain()
	b.drop(4)
	b.node().consume(work)
	b.commit(uuid.New())
	b.checkLedger(5, 11)
}

func TestConsume_NeedsOneConnectionOnly(t *testing.T) {
	b := setup(t)
	work := b.ledger()
	b.commit(newItems(10)...)
	b.idleNode().drain()
	b.url = b.urlWith("pool_max_conns", "1")
	n := b.idleNode() // remembers nothing, and so has to read the database
	n.consume(work)
	b.checkLedger(1, 10)
}

func TestConsume_RemembersOnlyItsLastPosition(t *testing.T) {
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
		t.Fatalf("the positions kept add up to %d, not to the last one, 5", kept)
	}
	b.checkLedger(1, 5)
}
