// Package signin finds the user behind a request, by HTTP Basic or by a browser's session, and watches that user's
// rights for as long as a stream stays open.
//
// It promises that an actor it returns has the rights that the database held a moment ago: a change of a user, a role
// or a session is known on every node within a second. It slows down password guessing without locking the owner out.
// It imports account, which does not import it, and knows no noun and no HTTP.
//
//	Basic, Open                 Session                     Watch
//	     │                         │                          │
//	     ▼                         ▼                          ▼
//	cache.basic ── hit ─▶ actor ◀─ hit ── cache.sessions   watchers ◀─────── reviews: one statement
//	     │ miss                    │ miss                     ▲              for all that is watched
//	     ▼                         ▼                          │                   ▲
//	one verification       one statement                      │                   │ wake
//	per credentials        per token                          │                   │
//	     │                                              session expires     forget: generation + 1
//	     ▼                                                                        ▲
//	throttle ─▶ user's row ─▶ argon2id ─▶ audit queue                             │
//	                                           │                            NOTIFY itemcast_access,
//	                                           ▼                            by triggers on user, role, session
//	                                      audit log
//
// Goroutines, all started by Run and ended with its context: the listener (Run itself), the reviews, the audit queue
// and the expiry of sessions and reset links. Each session that is watched has a timer. A call to Watch's function
// has a goroutine of its own, and so has the look-up for the audit entry of a refused sign-in. Verifications run in
// the goroutines of singleflight, and outlive a caller that leaves. Each expirable LRU has a goroutine that ends with
// the process.
//
// Caches: cache.basic and cache.sessions hold 10,000 actors each for 5 minutes, so that a request costs neither
// argon2id nor a statement. An entry is valid while its generation is at least that of the last change to its user.
// The maps of those changes hold 10,000 users; a further one makes every entry invalid. The throttle's lists hold
// 20,000 entries each.
//
// Locks: cache.mu, watchers.mu and throttle.mu each guard all the fields of their struct that change. None is held
// during a statement, a hash or a callback, and none is taken while another is held.
package signin
