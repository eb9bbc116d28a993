// Package item is the item: its types, its rules, and Service, the one door for every write.
//
//	Create, Replace, Patch, Delete, Import, Hold ─────▶ authorize ─▶ check input ─▶ ┌─ one transaction ───────────────┐
//	                                                                                │ lock row · render · write row   │ ─▶ wake the
//	Get, List, Export, History ◀── the stored bytes                                 │ and document · record change    │    sequencer
//	                                                                                └─────────────────────────────────┘
//
// An item is rendered once, by Encode, inside the transaction that changes it. The bytes are stored beside the typed columns that serve
// filters and sorting, and are what every exit sends: a read never renders, unless the stored document is of another renderer's version.
//
// It promises: a write raises the revision by one and records one change, or alters nothing and records nothing; the document always equals
// what Encode makes of the columns; an error means that nothing was written.
//
// It must not know who listens: REST, GraphQL, hooks and subscriptions are other packages' business.
package item
