package change

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
)

// explainer has Postgres explain statements as it runs them, and counts the buffers that they touch.
type explainer struct {
	db.Querier
	buffers int
}

func (e *explainer) QueryRow(ctx context.Context, statement string, args ...any) pgx.Row {
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	var encoded []byte
	err := e.Querier.QueryRow(ctx, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+statement, args...).Scan(&encoded)
	if err == nil && json.Unmarshal(encoded, &plans) == nil && len(plans) == 1 {
		e.buffers = plans[0].Plan.Hit + plans[0].Plan.Read
	}
	return e.Querier.QueryRow(ctx, statement, args...)
}

// After thousands of steps under an open snapshot, which keeps every dead row, what runs for each step still touches a
// handful of pages. A feed_head row updated in place touched all of its dead versions.
func TestSequencer_StepsStayCheapWhileASnapshotIsHeldOpen(t *testing.T) {
	b := setup(t)
	b.snapshot()
	b.write(uuid.New()) // and a writer
	n := b.idleNode()
	q := store.New(n.pool)
	head, err := q.Head(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for head.Step < 5000 {
		err := pgx.BeginFunc(b.ctx, n.pool, func(tx pgx.Tx) error {
			for range 10 {
				after, ids := advance(head, store.UnsequencedRow{})
				if err := write(b.ctx, store.New(tx), head, after, ids); err != nil {
					return err
				}
				head = after
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if rows := value[int](b, "SELECT count(*) FROM feed_head"); rows > 2*keptHeads {
		t.Fatalf("%d rows are kept", rows)
	}
	explained := &explainer{Querier: n.pool}
	if _, err := store.New(explained).Head(b.ctx); err != nil {
		t.Fatal(err)
	}
	if explained.buffers == 0 || explained.buffers > 8 {
		t.Fatalf("reading the head touches %d buffers", explained.buffers)
	}

	for range 100 { // item_change and item_position only grow, so they have nothing dead either
		b.commit(uuid.New())
		n.drain()
	}
	head, err = q.Head(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	params := store.UnsequencedParams{ScannedTo: head.ScannedTo, Batch: stepBatch, Gaps: head.Gaps}
	if _, err := store.New(explained).Unsequenced(b.ctx, params); err != nil {
		t.Fatal(err)
	}
	if explained.buffers == 0 || explained.buffers > 20 {
		t.Fatalf("looking for new changes touches %d buffers", explained.buffers)
	}
}
