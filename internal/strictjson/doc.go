// Package strictjson reads JSON from outside: it takes only what every part of Itemcast understands the same way.
//
// One pass over the bytes refuses what is not JSON (RFC 8259 as I-JSON, RFC 7493, narrows it: UTF-8, no lone surrogates, no name twice
// in an object) and what is JSON but cannot be kept: U+0000, which Postgres has no place for; numbers that a double cannot hold; and
// nesting or amounts that only serve to exhaust. Every fault has a pointer to its place, and no text quotes the input.
//
// It must not know any schema: what a document should look like is the contract's business.
package strictjson
