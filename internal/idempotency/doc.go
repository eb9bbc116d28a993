// Package idempotency executes a POST with an Idempotency-Key once. A repetition of the request gets the first
// response again.
//
//	request ─ permission ─ gate ─ BEGIN ─ claim the key ─┬─ new: run the handler, with its writes in this transaction
//	                                                     │       2xx: store the response, COMMIT, respond
//	                                                     │       else: ROLLBACK, respond; a retry runs again
//	                                                     └─ taken: replay the stored response; 422 if another request
//
// The gate admits one request with a key at a time on each node, and limits how many connections of the pool all of
// them hold (gate.go).
//
// The key, the writes and the response are committed together or not at all. A crash cannot leave one without the
// others, on any number of nodes. This holds for writes through db.Write with the request's context.
//
// A response may contain a password, a hook's secret or a reset link. So the key itself is not stored, and the response
// is encrypted with a secret derived from the key (secrets.go).
//
// Keys belong to their user or access token, and expire after a day. Once a token's filter has changed, its responses
// are not replayed: they may show what the token no longer sees. Requests with a streamed body are exempt: an import
// has a way of its own to resume. The package must not know what an operation does.
package idempotency
