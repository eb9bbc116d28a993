package form

import (
	"net/http"
	"strings"

	"itemcast/internal/browse/spec"
)

// Form is the fields of an operation. It does not change after New, so it is safe for concurrent use.
type Form struct {
	Operation *spec.Operation
	filter    []Field // of a GET: its query
	asides    []Field // of any other method: query and headers
	bodies    []body
}

// body is a media type of the request and its fields. A body that is not an object has no fields: it is written in the
// raw editor.
type body struct {
	spec.Body
	fields []Field
}

// New prepares the form of an operation.
func New(document *spec.Document, op *spec.Operation) (*Form, error) {
	f := &Form{Operation: op}
	for i := range op.Parameters {
		p := &op.Parameters[i]
		switch {
		case p.SameAs != "", p.Deprecated: // the other form has a field
		case p.In == "path", p.In == "header" && (op.Method == http.MethodGet || setsItself(p.Name)):
		case op.Method == http.MethodGet:
			f.filter = append(f.filter, parameterField(p).withList(document, p.Schema))
		default:
			f.asides = append(f.asides, parameterField(p).withList(document, p.Schema))
		}
	}
	for _, content := range op.Bodies {
		b := body{Body: content}
		for _, p := range content.Schema.Properties {
			f := newField(p.Name, p.Required, "", p.Schema)
			b.fields = append(b.fields, f.withMembers(document, p.Schema).withList(document, p.Schema))
		}
		f.bodies = append(f.bodies, b)
	}
	return f, f.render()
}

// setsItself reports whether forms set a header without a field for it.
func setsItself(header string) bool {
	return strings.EqualFold(header, "If-Match") || strings.EqualFold(header, "Idempotency-Key")
}

func (f Field) withList(document *spec.Document, s *spec.Schema) Field {
	f.List = document.ListOf(s.Link)
	return f
}

func (f *Form) render() error {
	groups := [][]Field{f.filter, f.asides}
	for _, b := range f.bodies {
		groups = append(groups, b.fields)
	}
	for n, fields := range groups {
		for i := range fields {
			if err := fields[i].render(f.Operation.ID, n == 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// secrets returns the names of the members that must not be shown.
func (b *body) secrets() []string {
	var names []string
	for i := range b.fields {
		if b.fields[i].Kind == kindSecret {
			names = append(names, b.fields[i].Name)
		}
	}
	return names
}

// takes reports whether the operation has a header parameter.
func (f *Form) takes(header string) bool { return f.Operation.HasParameter("header", header) }
