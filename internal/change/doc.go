// Package change is the item-change notifier: one ordered, durable, resumable log of item changes, from which every exit is fed.
//
//	writer's transaction            sequencer (any node)             readers (every node)
//	────────────────────            ────────────────────             ────────────────────
//	lock the item's row             lock (advisory)                  Feed: LISTEN + poll
//	UPDATE item                     newest feed_head row               │ ChangesAfter
//	INSERT item_change  ─commit──▶  ids above scanned_to, ids          ▼
//	     │ (id from a sequence)     in gaps, snapshot bounds         ring in memory ── Read / Wait ──▶ subscriptions, REST feed
//	     ▼                            │ one statement                  │
//	AfterCommit: Sequencer.Wake     INSERT item_position (dense)       └── Consume ──▶ hooks: work and position in one transaction
//	                                INSERT feed_head, NOTIFY, commit
//
// # What it promises
//
//  1. A committed change is in the log exactly once; an aborted one never.
//  2. Positions are dense (1, 2, 3 …) and final: what has been read at a position never changes.
//  3. Changes of one item appear in revision order.
//  4. A reader that has seen position p and asks for what follows p misses nothing, whatever transactions were open meanwhile.
//  5. An open transaction, a reader or a writer, however long, stalls nobody else's changes.
//  6. Writers take no lock that other items' writers take.
//  7. Any node may die at any instant (kill -9, Postgres included) and 1 to 4 still hold.
//
// # Why it is so
//
// A change row gets its id from a sequence inside the writer's transaction, so ids do not become visible in order. The sequencer
// therefore numbers rows anew, as they become visible, in item_position: its transactions run one after the other (an advisory lock),
// each appends the next positions, and the row it appends to feed_head says where it stopped. (1) and (2) follow from that order, from the
// unique keys of feed_head and item_position, and from the commit being synchronous; (7) because nothing is kept anywhere else.
//
// Item order (3): an item's second writer waits for the row's lock, so its change gets a higher id, and becomes visible only after the
// first's. Whatever set of rows a snapshot shows is numbered in id order; so the first never comes after the second.
//
// An id below the highest one read that the snapshot does not show is a gap: its transaction is still open, or was rolled back. Gaps are
// looked up again, in the same statement and so in the same snapshot as the new ids, every time. A gap that commits late gets the next
// position (4, 5). A gap of a rollback never fills. It is dropped when every transaction that could own it has ended: the transaction has
// its xid before it draws the id (it holds the item's row by then), and drew it before a higher id was read. The step that finds the gap
// draws its own xid after that, when it writes, so that one is higher, and has ended when the next step takes its snapshot. The xmax of
// this second snapshot is the gap's horizon: above its owner, whoever that is. (The xmax of the first is not: it is one more than the
// highest xid that has ended, and the owner's may be higher yet.) Once the xmin of a snapshot reaches the horizon and the same snapshot
// still does not show the row, it was rolled back.
//
// A snapshot that shows a row of feed_head shows every change up to its position: the sequencer saw them committed before it wrote the row.
// So whoever reads items and the head in one statement goes on from there and misses nothing (4). What is committed and has no position
// yet, the reader may have seen, and is told again.
//
// feed_head and consumer_position are appended to, not updated in place. While any transaction is left open, dead versions of a row cannot
// be pruned, and a row that is updated hundreds of times a second becomes a chain that every look-up walks; the newest of many rows is
// found from the end of an index at once, whatever lies behind it.
//
// The log does not grow for ever: Keeper lets go of its old end, and what a reader asks for below the floor is answered with CURSOR_EXPIRED.
// Both tables are partitioned, by id and by position, so that what goes is not deleted row by row.
//
// The sequencer is a critical section, not a role: every node runs it after its own commits, and on a timer for what a dead node left.
//
// # What it must not know
//
// Who may see a change, what a document means, what a reader does with it.
package change
