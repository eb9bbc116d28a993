// Package hook sends item changes to the endpoints of other applications, as signed HTTP POSTs.
//
//	change.Feed.Consume                       dispatcher (every node)                          endpoint
//	───────────────────                       ───────────────────────                          ────────
//	fanOut: one transaction                   claim: FOR UPDATE SKIP LOCKED
//	  match hooks and their filters             due rows of each hook that has free slots,
//	  post to quick hooks ◀──────────────────────────────── at once, ≤ 30 ms ─── document ────▶ 2xx?
//	  lock the lines                            claim := token, claimed_to := now + lease
//	  insert a delivery for each other            ▼
//	  (change, hook that wants it),             post, keep-alive, ≤ 15 s  ────── document ────▶ 2xx?
//	  log what has arrived,                       │
//	  position of the consumer                    │
//	                                              │
//	                             ┌────────────  write results in batches: one transaction
//	                             │                lock the lines, where the claim still holds:
//	                             ▼                out of the queue, or due again later; the next of each line becomes due
//	                        next of the line      every attempt into the log
//
// A delivery is a row of the queue (delivery) while it is pending, and after that what the log of attempts (delivery_attempt) says of it. It
// waits in a line, that of its hook and item:
//
//	           fan-out                  claim                    2xx
//	parked ◀── behind another    due ─────────▶ claimed ──────────────────▶ succeeded
//	  │                           ▲ ▲              │ │  last attempt, 410
//	  └── the one before is done ─┘ └── retry, ────┘ └────────────────────▶ failed ── redelivered by hand ──▶ due, or parked
//	                                    taken over, lease lapsed
//
// Parked has no due_at, due has one in the past or (a retry) in the future, claimed has a claim and a claimed_to in the future.
//
// # What it promises
//
//  1. Every change that an active hook asks for is delivered at least once, in spite of crashes, or ends visibly as failed.
//  2. Per hook and item, in order: the next is not sent while an earlier one is pending. Other items flow past a failing one.
//  3. One slow or dead endpoint costs the others nothing: slots in flight per hook, fair claims, no shared queue to fill.
//  4. The body is the document; what belongs to the event is in headers. A retry sends the same bytes and the same webhook-id.
//  5. No hook reaches a network or a port that it may not (package egress).
//
// # Why it is so
//
// (1) The delivery row is inserted in the transaction that advances the consumer's position. From then on it is pending until a result is
// committed; a claim only keeps others away for the time of the lease, so that whatever becomes of the claimer, it can be claimed again. A
// result is written only under the token it was claimed with: a node that was cut off cannot overwrite what another did meanwhile, and what
// it has not sent by the end of its lease less the slack it does not send. A node that dies is noticed sooner: it holds a lock for as long as
// it lives (presence.go), and others take over what was claimed under a number that nobody holds (takeover.go).
//
// The queue's commits do not wait for the disk (CommitLater). A Postgres that dies may undo the last of them, but as whole transactions and
// from the end: deliveries go together with the position that they were made at, and a result that is undone is a delivery that is made
// again. Its id is made of the change and the hook (id.go), and so is the same.
//
// What a quick hook has taken before the fan-out commits is never in the queue: the same transaction logs it (direct.go).
// Measured on two cores, medians of three rounds, CPU time of server, Postgres and load generator for each delivery, rate
// beside a loop that posts with keep-alive (budget: 0.50), and commit → received at 500 changes/s:
//
//	                        one endpoint           ten endpoints          p50 / p99
//	direct sending          73 µs, 0.56 (25,800/s)   61 µs, 0.58 (25,900/s)   6.4 / 15 ms
//	everything queued      149 µs, 0.32 (12,400/s)  122 µs, 0.45  (9,900/s)   7.6 / 32 ms
//
// So direct sending stays. Claiming rows where they are inserted was measured too, and earned nothing. A hook is quick while
// it works and answers within 10 ms. A hook that turns slow delays one fan-out by 30 ms; then it goes through the queue.
//
// (2) Only the first of a line has a due_at. A line changes where something is appended, and asked whether it is empty (fan-out, replay,
// redelivery), where its head is taken off and the next promoted (results), and where it ends (an inactive hook's). If two of these ran at the
// same time, each could miss the other's row and leave a parked delivery that nobody promotes. All take one advisory lock, after which each
// statement sees what the one before has committed; all are short and work in batches. Claims change no line and take no lock but those of
// their rows.
//
// (3) A claim names hooks and their free slots, and takes that many rows of each from an index. Slots are counted per node in memory. An
// endpoint that has only failed for a while gets fewer. Limits that a hook sets itself, on its rate and on what is in flight, hold over all
// nodes: one of them at a time claims for such a hook, under the lock of its row.
//
// (4) The row does not hold the document; it is read from the log by the change's id, and neither is ever rewritten. Whether the body is thin
// is the row's, not the hook's.
//
// (5) Addresses are checked when a connection is made, after DNS, for each address that is tried: no answer of a name server and no redirect,
// which is a failure anyway, goes past it. A URL whose host is such an address is refused by the same rule when a hook is made, so that its
// owner learns of it at once.
//
// How a hook fares is noted on its row by the transaction that writes the results, at most once a second unless it turns, and never by waiting
// for the row: it is for people to see, and no delivery depends on it, but that five days of nothing but failures make the hook inactive.
//
// # What it must not know
//
// How a document is made, and who may see an item: hooks belong to an account, and see all of it.
package hook
