// Package dispatch sends item changes to hooks: it fans the log of changes out into deliveries, and delivers them.
//
//	change.Feed.Consume                       dispatcher (every node)                          endpoint
//	───────────────────                       ───────────────────────                          ────────
//	fanOut: one transaction                   claim: FOR UPDATE SKIP LOCKED
//	  match hooks and their filters             due rows of each hook that has free slots,
//	  post to quick hooks ◀──────────────────────────────── at once, ≤ 30 ms ─── document ────▶ 2xx?
//	  lock the groups                           claim := token, claimed_to := now + lease
//	  insert a delivery for each other            ▼
//	  (change, hook that asks for it),          post, keep-alive, ≤ 15 s  ────── document ────▶ 2xx?
//	  log what has arrived,                       │
//	  position of the consumer                    │
//	                                              │
//	                             ┌────────────  write results in batches: one transaction
//	                             │                lock the groups; where the claim still holds:
//	                             ▼                remove from the queue, or due again later;
//	                   next of the group          the next of each group becomes due;
//	                                              every attempt into the log
//
// A pending delivery is a row of the queue (delivery). After that, the log of attempts (delivery_attempt) has it.
// The deliveries of one item to one hook are a group, and are sent in order:
//
//	           fan-out                  claim                    2xx
//	parked ◀── behind another    due ─────────▶ claimed ──────────────────▶ succeeded
//	  │                           ▲ ▲              │ │  last attempt, 410
//	  └── the one before is done ─┘ └── retry, ────┘ └────────────────────▶ failed ── redelivery ──▶ due, or parked
//	                                    taken over, claim expired
//
// A parked delivery has no due_at. A due one has a due_at in the past or, for a retry, in the future. A claimed one
// has a claim, and a claimed_to in the future.
//
// # What it promises
//
//  1. Every change that an active hook asks for is delivered at least once, in spite of crashes, or ends visibly as
//     failed.
//  2. Per hook and item, in order: the next is not sent while an earlier one is pending. Other items flow past a
//     failing one.
//  3. One slow or dead endpoint costs the others nothing: each hook has its own slots, claims are fair, and no shared
//     queue can fill up.
//  4. The body is the document; what belongs to the event is in headers. A retry sends the same bytes under the same
//     webhook-id.
//  5. No hook reaches a network or a port that the operator has not allowed (package egress).
//
// # Why it works
//
// (1) The delivery is inserted in the transaction that advances the consumer's position. It stays pending until a
// result is committed. A claim excludes other nodes only until the lease ends; whatever happens to the claimer, the
// delivery can then be claimed again. A result is written only under the token of its claim, so a node that was cut
// off cannot overwrite what another node did meanwhile. Such a node sends nothing after the end of the lease less the
// slack. A dead node is noticed sooner: a node holds a lock while it lives (presence.go), and the others take over
// what was claimed under a number that no node holds (takeover.go).
//
// The commits of the queue do not wait for the disk (CommitLater). If Postgres dies, the last of them may be
// undone, but only as whole transactions and from the end. New deliveries are undone together with the consumer's
// position, and created again. When a result is undone, its delivery is sent again, under the same id: the id derives
// from the change and the hook.
//
// A delivery that a quick hook accepts before the fan-out commits never enters the queue: the same transaction logs
// it (direct.go, which has a drawing of its goroutines and locks). The table has medians of three rounds on two cores:
// CPU time of server, Postgres and load generator for each delivery; the rate as a ratio to that of a loop that posts
// with keep-alive (budget: 0.50); and the time from commit to receipt at 500 changes/s.
//
//	                     one endpoint              ten endpoints             p50 / p99
//	direct sending        73 µs, 0.56 (25,800/s)    61 µs, 0.58 (25,900/s)   6.4 / 15 ms
//	everything queued    149 µs, 0.32 (12,400/s)   122 µs, 0.45  (9,900/s)   7.6 / 32 ms
//
// Without direct sending, claiming rows in the statement that inserts them made no difference: 156 and 121 µs. A
// hook is quick while it works and answers within 10 ms on average. A hook that turns slow delays one fan-out by 30
// ms; then it goes through the queue.
//
// (2) Only the first delivery of a group, by position, has a due_at. A replay or a redelivery may insert earlier
// ones: it parks a later one that is due, or, if that is being sent, waits behind it. Such a later one is parked when
// it has failed. When it has succeeded, a replay that covers it sends it once more, after the earlier ones. A claim
// that is lost at that moment is the one case in which a later one may be sent first. A group changes where a
// delivery is inserted and the group is checked for being empty (fan-out, replay, redelivery), where its head is
// removed and the next promoted (results), and where it ends (an inactive hook's). If two of these ran at the same
// time, each could miss the row of the other and leave a parked delivery that nothing promotes. So all of them take
// one advisory lock, after which each statement sees what the previous holder has committed. All are short and work
// in batches. Claims change no group, and lock only their rows.
//
// (3) A claim names hooks and their free slots, and takes that many rows of each from an index. Each node counts
// its slots in memory. An endpoint that has only failed for a while gets fewer. The limits of a hook, on its rate
// and on what is in flight, hold over all nodes: one node at a time claims for such a hook, under the lock of its
// row.
//
// (4) The row does not hold the document. It is read from the log by the id of the change, and neither is ever
// rewritten. Whether the body is thin is decided when the row is inserted, and not changed with the hook.
//
// (5) Addresses are checked when a connection is made, after DNS, for each address that is tried. No answer of a
// name server evades the check, and redirects are failures.
//
// The tasks of workflows (task.go) are deliveries to hidden hooks. They always go through the queue. The transaction
// that ends one reports it to Config.TaskEnded: either both happen or neither, so no workflow waits for a delivery that
// has ended, and none goes on before. Their results have a writer of their own. One that cannot be reported is sent
// again later, and delays neither other tasks nor hooks.
//
// The transaction that writes results also records the health of each hook, at most once a second unless it changes,
// and without waiting for the row. What a locked row misses is kept in memory, and the sweep records it (unnoted.go).
// People read the health, and five days of nothing but failures make a hook inactive. No delivery depends on it
// otherwise.
//
// # What it must not know
//
// What people may do with hooks: package hook authorizes. How a document is rendered.
//
// # The files, from top to bottom
//
// Calls go down this list, and none goes up:
//
//	dispatch.go                              the dispatcher and its goroutines
//	sweep.go, takeover.go, inactive.go       periodic tasks, for what no event announces
//	replay.go                                past changes
//	fanout.go, direct.go, sent.go, match.go  new changes
//	claim.go, limits.go, change.go           the queue
//	result.go, attempt.go, health.go         results
//	task.go                                  the ends of workflows' tasks
//	unnoted.go                               health that could not be recorded yet
//	post.go                                  one attempt
//	presence.go, metrics.go                  the lock of a live node; metrics for operators
//	wake.go, slots.go, config.go             shared by the files above
package dispatch
