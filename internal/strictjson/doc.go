// Package strictjson reads JSON from clients. It accepts only what every part of Itemcast reads in the same way.
//
// It refuses text that is not I-JSON (RFC 7493, which narrows RFC 8259): invalid UTF-8, lone surrogates and duplicate
// names. It also refuses values that cannot be stored or processed: U+0000, which Postgres cannot store; numbers beyond
// a double; and nesting, numbers or amounts beyond Limits. Every fault has a pointer to its place, and no text quotes
// the input.
//
// The package must not know any schema: package contract checks the form of a document.
package strictjson
