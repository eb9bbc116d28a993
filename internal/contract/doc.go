// Package contract holds every REST request against its OpenAPI document before a handler sees it.
//
//	document ─ Load ─ bundle (one self-contained document, served) ─ schemas, compiled once
//	request ── mux ── Guard: path → Accept → Content-Type → parameters → body ── the generated handler
//	                         404     406       415           └ every fault ┘       └ its errors: WriteProblem
//	                                                           at once, 400
//
// It promises that a handler behind a Guard gets only what the contract allows: known parameters, a JSON body that every reader
// understands the same way (package strictjson) and that fits its schema; that whoever sends anything else is told of all faults at
// once, each with its place; and that all answers to failures have one form, RFC 9457. Texts name what the contract wants, never what
// was sent, nor anything of Go.
//
// A request body that the document marks x-checked-with-rules is only known to be such JSON: its handler's service holds it against the
// schema (Document.Schema) together with its own rules, so that what the contract forbids does not hide what the rules forbid.
//
// It must not know what any operation does, nor who may do it. It serves any number of documents.
package contract
