// Package item is the item: its types, its rules, and Service, the one door for every write.
//
//	Create, Replace, Patch, Delete, Import ─▶ authorize ─▶ check input ─▶ ┌─ one transaction ──────────────┐
//	                                                                      │ lock row · render · write row  │ ─▶ wake the
//	Get, List, Export, History ◀── the stored bytes                       │ and document · record change   │    sequencer
//	                                                                      └────────────────────────────────┘
//
// An item is rendered once, by Encode, in the transaction that changes it. The bytes are stored beside the typed
// columns, which serve filters and sorts. Every exit sends these bytes: a read renders nothing, unless the stored
// document has another renderer's version.
//
// It promises: a write either raises the revision by one and records one change, or alters nothing and records nothing;
// the document always equals what Encode makes of the columns; after an error, nothing was written.
//
// It must not know who listens: REST, GraphQL, hooks and subscriptions are the business of other packages.
//
// The files, from the entry to the bytes: write.go (writes), import.go, import_reader.go, import_line.go and
// import_fields.go (imports), input.go and patch.go (what a client sends), faults.go (every fault in one answer),
// rules.go, media.go, metadata.go, compose.go and workflow.go (rules), held.go, media_write.go and media_fields.go
// (files that Itemcast holds), revise.go (one revision), columns.go (rows),
// document.go and difference.go (bytes). Reads: read.go, history.go, tag.go, list.go, list_rows.go, filter.go, sort.go,
// match.go, versions.go (an item before and after a change), words.go (the words of the search), export.go. What an
// actor sees, in all of these: sight.go, narrow.go (statements), view.go (changes). Metadata fields: field.go,
// field_write.go, field_check.go. In the background: renew.go.
package item
