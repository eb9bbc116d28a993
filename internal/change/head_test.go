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

// explainer runs EXPLAIN (ANALYZE, BUFFERS) of each statement before the statement, and records the buffers it touches.
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

// An open snapshot keeps every dead row. After thousands of steps under one, the statements of a step still touch a
// handful of pages. With a feed_head row that was updated in place, they touched all of its dead versions.
func TestSequencer_StepsStayCheapWhileASnapshotIsHeldOpen(t *testing.T) {
	b := setup(t)
	b.snapshot()
	b.write(uuid.New()) // also a writer that stays open
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
		t.Fatalf("%d rows are left", rows)
	}
	explained := &explainer{Querier: n.pool}
	if _, err := store.New(explained).Head(b.ctx); err != nil {
		t.Fatal(err)
	}
	if explained.buffers == 0 || explained.buffers > 8 {
		t.Fatalf("reading the head touches %d buffers", explained.buffers)
	}

	for range 100 { // item_change and item_position only grow, so they have no dead rows
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
		t.Fatalf("reading new changes touches %d buffers", explained.buffers)
	}
}
