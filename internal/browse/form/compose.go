package form

import (
	"cmp"
	"net/http"
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
		old, texts := s.was[f.Name], s.values[f.Control]
		if !f.isSent(s.values) || f.isUnchanged(old, texts) {
			if !isPatch && !isNull(old) {
				object.Set(f.Name, old)
			}
			continue
		}
		value, err := f.value(f.kindFor(old), texts)
		switch {
		case err != nil:
			s.Faults = append(s.Faults, problem.Fault{Pointer: strictjson.Pointer(f.Name), Detail: err.Error()})
		case len(value) > 0 && merges:
			object.Set(f.Name, mergePatch(old, value))
		case len(value) > 0:
			object.Set(f.Name, value)
		case isPatch:
			object.Set(f.Name, f.emptied())
		}
	}
	return object
}
