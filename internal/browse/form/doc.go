// Package form makes the HTML forms of operations, and turns a form that a browser sends into the API request that it
// stands for.
//
//	operation → Form (at start)
//	               │ Offer(record: the representation) ────────────┐
//	               │ Again(the sent form, its problem) ────────────┼→ Draft → template "draft"
//	               │ Rebase(the sent form, the current record) ────┘             │
//	               │                                                     a browser sends it
//	               └→ Read → Submission ─ compose: text → JSON ─→ Request ←──────┘
//
// It promises that a form sends what its user meant. A form that is sent unchanged changes nothing: the value that
// filled a field travels with the form (_was), and a field whose text is still the same is sent as that value, digit
// for digit. A PATCH has only the fields that differ. A value that its control could not show without loss is edited
// as JSON.
//
// Text that does not fit its type is sent as a string, so that the API reports the fault. Only text in a JSON field
// that is not JSON is a fault here. A form that is sent twice takes effect once (Idempotency-Key). A form is refused
// when its representation has changed meanwhile (If-Match).
//
// The package must not know any operation, nor make requests. Calls go down this list of files:
//
//	conflict.go    a form after somebody else changed the representation
//	draft.go       a form with values, as a page shows it
//	filter.go      the form for the query of a list
//	submission.go  a form that was sent, and its request
//	compose.go     the body of that request
//	patch.go       merge patches
//	rows.go        an array of objects, with fields for each
//	skeleton.go    a value to begin with in the raw editor
//	input.go       a field with values
//	problem.go     a failure, with each fault at its field
//	value.go       a field's text as JSON, and back
//	query.go       a field's text in a query, and back
//	form.go        the fields of an operation
//	field.go       a field
//	names.go       the names of controls, and the templates
//	record.go      the members of a representation
//	json.go        comparing and laying out JSON
//	text.go        texts cut to length
package form
