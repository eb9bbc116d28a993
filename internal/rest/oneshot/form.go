package oneshot

import (
	"io"
	"net/http"

	"itemcast/internal/problem"
	"itemcast/internal/rest/form"
	"itemcast/internal/upload/ticket"
)

// uploadForm is a form with the fields of a ticket, which headers may have instead, and then files.
type uploadForm struct {
	*form.Reader
	pending *form.Part
	files   bool // a file has come
}

func newForm(r *http.Request, body io.Reader) (*uploadForm, error) {
	parts, err := form.New(r, body)
	return &uploadForm{Reader: parts}, err
}

// ticket reads the fields before the first file, which must be those of a ticket. Errors: those of form.Reader.Next and
// form.Part.Text; BAD_REQUEST for another field.
func (f *uploadForm) ticket() (infos, signatures []string, err error) {
	for {
		p, err := f.Next()
		switch {
		case err != nil:
			return nil, nil, err
		case p == nil:
			return infos, signatures, nil
		case p.IsFile:
			f.pending = p
			return infos, signatures, nil
		}
		value, err := p.Text(ticket.MaxInfo)
		if err != nil {
			return nil, nil, err
		}
		switch p.Name {
		case ticket.InfoName:
			infos = append(infos, value)
		case ticket.SignatureName:
			signatures = append(signatures, value)
		default:
			return nil, nil, errField(p)
		}
	}
}

// nextFile returns the next file; nil at the end of the form. Errors: those of form.Reader.Next; BAD_REQUEST for a
// field, and for a file in another field.
func (f *uploadForm) nextFile() (p *form.Part, err error) {
	if p, f.pending = f.pending, nil; p == nil {
		if p, err = f.Next(); err != nil || p == nil {
			return nil, err
		}
	}
	switch {
	case !p.IsFile && f.files:
		return nil, problem.New(problem.BadRequest, "The field %q comes after a file. Put all fields before the files.",
			form.Shown(p.Name))
	case !p.IsFile:
		return nil, errField(p)
	case p.Name != form.FileField:
		return nil, problem.New(problem.BadRequest, "A file is in the field %q. Name the field %s.", form.Shown(p.Name),
			form.FileField)
	}
	f.files = true
	return p, nil
}

func errField(p *form.Part) error {
	if p.Name == form.FileField {
		return form.ErrNoFileName(p.Number)
	}
	return problem.New(problem.BadRequest, "The form has a field %q. It may have %s and %s, then one or more files in "+
		"fields with the name %s.", form.Shown(p.Name), ticket.InfoName, ticket.SignatureName, form.FileField)
}
