package form

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/browse/jsontree"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// compose makes the body of a submission.
func (s *Submission) compose() {
	if s.Form == nil || len(s.Form.bodies) == 0 {
		return
	}
	b := &s.Form.bodies[0]
	if s.raw {
		s.mediaType = cmp.Or(s.values.Get(typeName), b.MediaType)
		s.Body = []byte(strings.ReplaceAll(s.values.Get(contentName), "\r\n", "\n"))
		return
	}
	s.mediaType = b.MediaType
	object := s.object(b)
	if len(object.Names()) > 0 || s.Form.Operation.BodyRequired {
		s.Body = []byte(jsontree.Encode(object))
	}
}

// object makes the JSON object of the fields. A field that the user did not change is sent with its old value; a PATCH
// omits it.
func (s *Submission) object(b *body) *jsontree.Object {
	object := jsontree.New()
	isPatch := s.Method == http.MethodPatch
	merges := isPatch && strings.HasPrefix(b.MediaType, "application/merge-patch+json")
	for i := range b.fields {
		f := &b.fields[i]
		old := s.was[f.Name]
		if !f.isSent(s.values) || f.isUnchangedIn(s.values, old) {
			if !isPatch && !isNull(old) {
				object.Set(f.Name, old)
			}
			continue
		}
		value, faults := f.valueIn(s.values, old)
		s.Faults = append(s.Faults, faults...)
		switch {
		case len(faults) > 0:
		case len(value) > 0 && merges:
			object.Set(f.Name, mergePatch(old, value))
		case len(value) > 0:
			object.Set(f.Name, value)
		case isPatch || f.isNullable && !isNull(old): // to leave it out could keep it
			object.Set(f.Name, f.emptied())
		}
	}
	return object
}

// isUnchangedIn reports whether a form has the value with which it was filled.
func (f *Field) isUnchangedIn(values url.Values, old json.RawMessage) bool {
	if f.kindFor(old) == kindRows {
		return f.rowsAreUnchanged(old, values)
	}
	return f.isUnchanged(old, values[f.Control])
}

// valueIn returns what the user typed as JSON; nil for nothing. old is the value with which the form was filled.
func (f *Field) valueIn(values url.Values, old json.RawMessage) (json.RawMessage, []problem.Fault) {
	kind := f.kindFor(old)
	if kind == kindRows {
		return f.rowsValue(old, values)
	}
	value, err := f.value(kind, values[f.Control])
	if err != nil {
		return nil, []problem.Fault{{Pointer: strictjson.Pointer(f.Name), Detail: err.Error()}}
	}
	return value, nil
}
