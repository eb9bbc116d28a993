// Package change is the item-change notifier: one ordered, durable, resumable log of item changes that feeds every
// exit.
//
//	writer's transaction           sequencer (any node)            readers (every node)
//	────────────────────           ────────────────────            ────────────────────
//	lock the item's row            lock (advisory)                 Feed.Run: LISTEN, poll, ChangesAfter
//	UPDATE item                    read the newest feed_head         ▼
//	INSERT item_change  ─commit─▶  read, in one statement: ids     ring in memory
//	     │ (id from a sequence)    above scanned_to, ids in gaps,    ├─ Read, Wait ─▶ subscriptions, REST feed
//	     ▼                         the snapshot's bounds             └─ Consume ────▶ hooks: work and position
//	AfterCommit: Sequencer.Wake    INSERT item_position (dense),                      in one transaction
//	                               INSERT feed_head, NOTIFY, commit
//
// # What it promises
//
//  1. A committed change is in the log exactly once; an aborted one never.
//  2. Positions are dense (1, 2, 3 …) and final: what has been read at a position never changes.
//  3. Changes of one item appear in revision order.
//  4. A reader that has seen position p and asks for what follows p misses nothing, whatever transactions were open
//     meanwhile.
//  5. An open transaction, a reader or a writer, however long, delays nobody else's changes.
//  6. Writers take no lock that other items' writers take.
//  7. Any node may die at any instant (kill -9, Postgres included) and 1 to 4 still hold.
//
// # Terms
//
// A change id comes from a sequence, in the writer's transaction. A position is the change's place in the log. A cursor
// is a position and the log's epoch as opaque text for clients. The head is the last position. The floor is the last
// position that has been dropped; cursors below it are expired.
//
// # Why it works
//
// Ids do not become visible in order, because a row draws its id before its transaction commits. The sequencer
// therefore assigns positions to rows as they become visible, in item_position. Its steps run one after another under
// an advisory lock. Each step appends the next positions, and a row of feed_head that records how far it has come.
// Promises 1 and 2 follow from this order, from the primary keys of feed_head and item_position, and from synchronous
// commits. Promise 7 follows because nothing is stored anywhere else.
//
// Promise 3: an item's second writer waits for the lock of the item's row. So its change has a higher id, and becomes
// visible only after the first. A step numbers the rows that its snapshot shows in the order of their ids, so the
// second never precedes the first.
//
// Promises 4 and 5: an id below the highest one read, which the snapshot does not show, is a gap. Its transaction is
// still open, or was rolled back. Every step looks its gaps up again, in the same statement as the new ids and so in
// the same snapshot. A gap that becomes visible late gets the next position.
//
// The gap of a rollback never becomes visible. A step drops a gap when every transaction that could own it has ended:
//
//   - The owner had its xid before it drew the id, because it held the item's row by then; and it drew the id before a
//     higher id was read.
//   - The step that finds the gap draws its own xid later, when it writes. So that xid is higher than the owner's.
//   - The step has ended when the next step takes its snapshot. So the xmax of this second snapshot is higher than the
//     owner's xid. It becomes the gap's horizon. (The xmax of the first snapshot would not do: it is one more than the
//     highest xid that has ended, and the owner's may be higher.)
//   - When the xmin of a later snapshot reaches the horizon, all transactions below it have ended. If the same snapshot
//     still does not show the row, the row was rolled back.
//
// Reading a list and then its changes: a snapshot that shows a row of feed_head shows every change up to its position,
// because the sequencer saw them committed before it wrote the row. A client that reads items and the head in one
// statement therefore resumes from that head and misses nothing. It may receive a change whose effect it has already
// read: one that was committed, but had no position yet.
//
// feed_head and consumer_position are appended to, never updated in place. While any transaction is open, dead versions
// of a row cannot be removed, and a row that is updated hundreds of times a second becomes a chain that every look-up
// walks. The newest of many rows is found at once from the end of an index.
//
// The log does not grow forever: the [Pruner] drops its oldest changes. Below the floor, readers get CURSOR_EXPIRED.
// The tables are partitioned, by id and by position, so that most changes are dropped with their partition and not row
// by row.
//
// The sequencer is a critical section, not a role: every node runs it after its own commits, and every 500 ms for
// commits of a node that died before it ran a step.
//
// # Goroutines and locks of a node
//
//	goroutine             waits for                               writes
//	─────────             ─────────                               ──────
//	Sequencer.Run         Sequencer.wake, 500 ms                  only the database, under its advisory lock
//	 └ extendPartitions   1 s                                     only the database
//	Feed.Run              notified, 1 s                           Feed.recent, head and advanced, under Feed.mu
//	 └ db.Listen          a notification of item_position         notified
//	Feed.Consume, each    Feed.advanced (by Feed.Wait)            only the database, under an advisory lock per consumer
//	Pruner.Run            1 min                                   only the database, under its advisory lock
//	readers               Feed.advanced (by Feed.Wait)            nothing; they read under Feed.mu
//
// wake and notified are channels with room for one signal: any number of signals during a step or a read cause one more
// step or read. Feed.mu is held while memory is read or changed, never during a query. A *Change is shared by all
// readers of a node, and is never modified.
//
// # What it must not know
//
// The rights of users, the meaning of a document, the purpose of a reader. One exception: [History] leaves out an item
// that is hidden from a role, by the SQL function hidden_profiles.
package change
