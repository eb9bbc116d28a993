// Package signin finds the user of a request, by HTTP Basic or by a browser's session, and watches that user's
// permissions for as long as a stream stays open. It knows the origins that access tokens name.
//
// It promises that an actor has the permissions that the database held a moment ago: a change of a user, a role or a
// session is known on every node within a second. It slows down password guessing without locking the owner out.
// It imports account, which does not import it, and knows no noun and no HTTP.
//
//	Basic, Open                 Session                     Watch
//	     │                         │                          │
//	     ▼                         ▼                          ▼
//	cache.basic ── hit ─▶ actor ◀─ hit ── cache.sessions   watchers ◀─────── reviews: one statement
//	     │ miss                    │ miss                     ▲              for all watched users
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
// Goroutines: Run starts five, which end with its context: the listener (Run's own), the reviews, the audit queue,
// the expiry of sessions and reset links, and the reads of origins. Verifications and look-ups of sessions run on
// goroutines of singleflight, and continue when the caller has left. The audit entry of a refused sign-in, and each call of a
// function that was given to Watch, has a goroutine of its own. A watched session has a timer. Each expirable LRU has
// a goroutine that ends with the process.
//
// Caches: cache.basic and cache.sessions hold 10,000 actors each for 5 minutes, so that a request costs neither
// argon2id nor a statement. An actor is valid while its generation is at least that of the last change to its user.
// The two maps of those changes hold 10,000 users each; one more invalidates every actor. The throttle's lists hold
// 20,000 entries each.
//
// Locks: cache.mu, watchers.mu and throttle.mu each guard every map, list and counter of their struct, for readers too.
// None of the three is taken while another is held, nor held during a statement, a hash, or a function given to Watch.
package signin
