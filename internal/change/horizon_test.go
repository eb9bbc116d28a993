package change

import "testing"

// The owner of a gap may have a higher xid than the transaction that committed above the gap, and than the xmax of the
// snapshot that first missed it: xmax is one more than the highest xid that has ended.
func TestSequencer_GapOutlivesTheSnapshotsXmaxWhileItsOwnerIsOpen(t *testing.T) {
	b := setupCluster(t, nil)
	n := b.idleNode()
	items := newItems(2)

	early, err := b.pool.Begin(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := early.Exec(b.ctx, "SELECT pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
	owner := b.write(items[0]) // a higher xid, a lower id
	if _, err := put(b.ctx, early, b.account, items[1]); err != nil {
		t.Fatal(err)
	}
	mustEnd(b, early.Commit)
	for range 5 {
		n.drain()
	}
	mustEnd(b, owner.Commit)
	n.drain()
	b.checkLog(n.log())
}
