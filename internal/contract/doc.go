// Package contract checks every REST request against its OpenAPI document before a handler sees it.
//
//	document ── Load ── schemas, compiled once
//	request ─── mux ─── Guard: path → Accept → Content-Type → parameters → body ── generated code ── handler
//	                           404    406      415            └──── 400 ────┘      └ errors: Problems
//
// It promises that a handler behind a Guard receives only what the document allows: known parameters, and a JSON body
// that every reader understands the same way (package strictjson) and that fits its schema. A bad request is answered
// with all its faults at once, each with its place. All failures have one form, RFC 9457 (Problems). Texts name what
// the document requires. They never quote a request's values or Go's errors.
//
// A PUT or a PATCH takes back what GET returned. The Guard takes the members out that only the server sets, by the
// schemas of the body and of the answer, and the API compares them with the present ones (Returned). A member marked
// x-from, such as workflow_profile_id, is filled in from the representation's member that stands for it.
//
// Some operations are marked x-checked-with-rules. The Guard checks only that their body is JSON. The service checks it
// against the schema (Document.Schema) together with its own rules, so that one answer reports both kinds of faults.
//
// The package must not know what an operation does, nor who may do it. It serves any number of documents.
package contract
