package nodetest

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

func CountItems(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM item").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// awaitItems waits until there are so many items.
func AwaitItems(t *testing.T, pool *pgxpool.Pool, n int) {
	t.Helper()
	tick, end := time.NewTicker(5*time.Millisecond), time.After(2*Timeout)
	defer tick.Stop()
	for CountItems(t, pool) < n {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("there are %d items, want %d", CountItems(t, pool), n)
		}
	}
}

// rows is how much has been written: items, changes, metadata fields, hooks and kept answers.
func (n *Node) rows() (count [5]int) {
	n.T.Helper()
	err := n.Pool.QueryRow(n.T.Context(), `SELECT (SELECT count(*) FROM item), (SELECT count(*) FROM item_change),
		(SELECT count(*) FROM metadata_field), (SELECT count(*) FROM hook), (SELECT count(*) FROM idempotency_key)`).
		Scan(&count[0], &count[1], &count[2], &count[3], &count[4])
	if err != nil {
		n.T.Fatal(err)
	}
	return count
}

// leavesNothing fails the test when do writes anything.
func (n *Node) WantNoWrites(do func()) {
	n.T.Helper()
	before := n.rows()
	do()
	if after := n.rows(); after != before {
		n.T.Errorf("rows were written: %v, then %v", before, after)
	}
}
