// Package hook sends item changes to the endpoints of other applications, as signed HTTP POSTs.
//
//	change.Feed.Consume                       dispatcher (every node)                          endpoint
//	───────────────────                       ───────────────────────                          ────────
//	fanOut: one transaction                   claim: FOR UPDATE SKIP LOCKED
//	  lock the lines                            due rows of each hook that has free slots,
//	  insert a delivery for each                due_at := now + lease, claim := token
//	  (change, hook that wants it)   announce     │
//	  position of the consumer ───────────────▶ post, keep-alive, ≤ 15 s  ───── document ────▶ 2xx?
//	                                              │
//	                             ┌────────────  write results in batches: one transaction
//	                             │                lock the lines, where the claim still holds:
//	                             ▼                succeeded, failed, or due again later
//	                        next of the line      the next of each line becomes due
//
// A delivery waits in a line, that of its hook and item:
//
//	           fan-out                  claim                    2xx
//	parked ◀── behind another    due ─────────▶ claimed ──────────────────▶ succeeded
//	  │                           ▲ ▲              │ │  last attempt, 410
//	  └── the one before is done ─┘ └── retry, ────┘ └────────────────────▶ failed
//	                                    lease lapsed
//
// In the table, pending is the state of the first three: parked has no due_at, due has one in the past or (a retry) in the future, and
// claimed has one in the future, when the claim lapses.
//
// # What it promises
//
//  1. Every change that an active hook asks for is delivered at least once, in spite of crashes, or ends visibly as failed.
//  2. Per hook and item, in order: the next is not sent while an earlier one is pending. Other items flow past a failing one.
//  3. One slow or dead endpoint costs the others nothing: slots in flight per hook, fair claims, no shared queue to fill.
//  4. The body is the document; what belongs to the event is in headers. A retry sends the same bytes and the same webhook-id.
//  5. No hook reaches a network it may not.
//
// # Why it is so
//
// (1) The delivery row is inserted in the transaction that advances the consumer's position. From then on it is pending until a result is
// committed; a claim only puts it off for the time of the lease, so that whatever becomes of the claimer, it comes due again. A result is
// written only under the token it was claimed with: a node that was cut off cannot overwrite what another did meanwhile, and what it has
// not sent by the end of its lease less the slack it does not send.
//
// (2) Only the first of a line has a due_at. A line changes in two places: the fan-out appends to it, and asks whether it is empty; a
// result takes its head, and promotes the next. If they ran at the same time, each could miss the other's row and leave a parked delivery
// that nobody promotes. Both take one advisory lock, after which each statement sees what the one before has committed; both are short
// and work in batches. Claims change no line and take no lock but those of their rows.
//
// (3) A claim names hooks and their free slots, and takes that many rows of each from an index. Slots are counted per node in memory. An
// endpoint that has only failed for a while gets fewer.
//
// (4) The row does not hold the document; it is read from the log by the change's id, and neither is ever rewritten. The webhook-id is the
// delivery's id.
//
// (5) Addresses are checked when a connection is made, after DNS, for each address that is tried (dial.go): no answer of a name server and
// no redirect, which is a failure anyway, goes past it. A URL whose host is such an address is refused by the same rule when a hook is made
// (literal.go), so that its owner learns of it at once.
//
// How a hook fares is noted on its row by the statement that writes the results, at most once a second unless it turns, and never by waiting
// for the row: it is for people to see, and no delivery depends on it.
//
// # What it must not know
//
// What a document means, and who may see an item: hooks belong to an account, and see all of it.
package hook
