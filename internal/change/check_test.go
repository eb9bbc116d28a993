package change

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// eventually polls a condition that has no signal.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(timeout)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not true after %s: %s", timeout, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// checkLog checks promises 1 to 3: every change in item_change, and so every committed one, is in the log exactly once,
// at a dense position, in revision order.
func (b *bundle) checkLog(log []*Change) {
	b.t.Helper()
	rows, _ := b.pool.Query(b.ctx, "SELECT id FROM item_change ORDER BY id")
	committed, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		b.t.Fatal(err)
	}
	ids := make([]int64, len(log))
	revisions := map[uuid.UUID]int64{}
	for i, c := range log {
		ids[i] = c.ID
		if c.Position != Position(i+1) {
			b.t.Fatalf("change %d of the log has position %d", i+1, c.Position)
		}
		if revisions[c.ItemID]++; c.Revision != revisions[c.ItemID] {
			b.t.Fatalf("position %d has revision %d of item %s, want %d",
				c.Position, c.Revision, c.ItemID, revisions[c.ItemID])
		}
		if string(c.Document) != string(documentOf(c.ItemID, c.Revision)) {
			b.t.Fatalf("position %d has the document %s", c.Position, c.Document)
		}
	}
	if slices.Sort(ids); !slices.Equal(ids, committed) {
		b.t.Fatalf("%d changes were committed, the log has %d; missing: %v",
			len(committed), len(ids), difference(committed, ids))
	}
}

func difference(a, b []int64) (only []int64) {
	for _, id := range a {
		if _, found := slices.BinarySearch(b, id); !found {
			only = append(only, id)
		}
	}
	return only
}

// sameLog checks that two readers read the same changes, up to the end of the shorter one.
func sameLog(t *testing.T, a, b []*Change) {
	t.Helper()
	for i := range min(len(a), len(b)) {
		if a[i].ID != b[i].ID || a[i].Position != b[i].Position || string(a[i].Document) != string(b[i].Document) {
			t.Fatalf("one reads id %d at position %d, the other id %d at position %d",
				a[i].ID, a[i].Position, b[i].ID, b[i].Position)
		}
	}
}
