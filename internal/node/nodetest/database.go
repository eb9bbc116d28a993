package nodetest

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// CountItems returns the number of items of all accounts.
func CountItems(t testing.TB, pool *pgxpool.Pool) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM item").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// AwaitItems waits until there are at least n items.
func AwaitItems(t testing.TB, pool *pgxpool.Pool, n int) {
	t.Helper()
	Eventually(t, "the items are there", func() bool { return CountItems(t, pool) >= n })
}

// WantNoWrites fails the test if do writes an item, change, metadata field, hook or idempotency key.
func (n *Node) WantNoWrites(do func()) {
	n.T.Helper()
	before := n.rows()
	do()
	if after := n.rows(); after != before {
		n.T.Errorf("rows were written: %v, then %v", before, after)
	}
}

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
