// Package signin finds the user of a request, by HTTP Basic, by an access token or by a browser's session, and watches
// that user's permissions for as long as a stream stays open. It counts the requests of access tokens, and knows the
// origins that they name.
//
// It promises that an actor has the permissions that the database held a moment ago: a change of a user, a role, a
// session or an access token is known on every node within a second. It slows down password guessing without locking
// the owner out. It imports account, which does not import it, and knows no noun and no HTTP.
//
//	Basic, Open             Session, Bearer                 Watch
//	     │                         │                          │
//	     ▼                         ▼                          ▼
//	cache.basic ── hit ─▶ actor ◀─ hit ── cache.sessions,  watchers ◀─────── reviews: one statement each
//	     │ miss                    │ miss   cache.bearers     ▲              for all users, sessions, tokens
//	     ▼                         ▼                          │                   ▲
//	one verification       one statement                      │                   │ wake
//	per credentials        per token                          │                   │
//	     │                                              sessions and        forget: generation + 1
//	     │                                              tokens expire             ▲
//	     ▼                                                                        ▲
//	throttle ─▶ user's row ─▶ argon2id ─▶ audit queue                             │
//	                                           │                            NOTIFY itemcast_access,
//	                                           ▼                            by triggers on user, role, session, token
//	                                      audit log
//
// Goroutines: Run starts six, which end with its context: the listener (Run's own), the reviews, the audit queue, the
// record of the use of access tokens, the reads of origins, and the expiry of what is old. Verifications and look-ups
// run on goroutines of singleflight, and continue when the caller has left. The audit entry of a refused sign-in, and
// each call of a function that was given to Watch, has a goroutine of its own. A watched session has a timer, and so
// has a watched token that expires. Each expirable LRU has a goroutine that ends with the process.
//
// Caches: cache.basic, cache.sessions and cache.bearers hold 10,000 actors each for 5 minutes, so that a request costs
// neither argon2id nor a statement. An actor is valid while its generation is at least that of the last change to its
// user, session or token. The three maps of those changes hold 10,000 entries each; one more invalidates every actor.
// There is a meter for each access token that was used in the last two minutes. The throttle's lists hold 20,000
// entries each.
//
// Locks: cache.mu, watchers.mu, throttle.mu and meters.mu each guard every map, list and counter of their struct, for
// readers too. None of them is taken while another is held, nor held during a statement, a hash, or a function given to
// Watch.
package signin
