// Package idempotency makes a repeated POST with the same Idempotency-Key do its thing once, and answer the same.
//
//	request ─ may its user? ─ gate ─ BEGIN ─ claim the key ─┬─ new: run the handler, its writes in the same transaction
//	                                                        │       2xx: keep the answer, COMMIT, answer
//	                                                        │       else: ROLLBACK, answer; a retry runs again
//	                                                        └─ taken: replay the kept answer, or 422 for another request
//
// The gate lets one request a key pass at a time on a node, and of all fewer than the pool has connections (gate.go).
//
// It promises that the key, the work and the answer are committed together or not at all: there is no instant at which a crash leaves
// one without the others, on any number of nodes. That holds for work done through db.Write with the request's context.
//
// The key itself is not kept, and what is kept is sealed by it (secrets.go): an answer may hold a password, a hook's secret or a link that
// resets a password.
//
// A user's keys are the user's own, and are forgotten after a day (DeleteExpiredIdempotencyKeys). Bodies that stream are exempt: whoever reads
// them resumes in its own way. The package must not know what any operation does.
package idempotency
