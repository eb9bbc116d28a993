package core

import (
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
	"itemcast/internal/rest/form"
)

const (
	maxFormField  = 1 << 10 // bytes of a field before the file
	maxFormFields = 20
)

// fileForm is a form with one file, after its fields. It reads the file, and ends without an error only where the whole
// form does.
type fileForm struct {
	parts  *form.Reader
	fields map[string]string
	file   *form.Part
	end    error // what follows the file
}

var (
	errNoFile = problem.New(problem.BadRequest,
		`The form has no file. Send one in the field "file", after the other fields.`)
	errSecondPart = problem.New(problem.BadRequest,
		`The form goes on after its file. Send the other fields before the file, and one file only.`)
)

// openFileForm reads the fields of a form, up to its file.
func openFileForm(r *http.Request) (*fileForm, error) {
	parts, err := form.New(r, r.Body)
	if err != nil {
		return nil, err
	}
	f := &fileForm{parts: parts, fields: map[string]string{}}
	for len(f.fields) <= maxFormFields {
		part, err := parts.Next()
		switch {
		case err != nil:
			return nil, err
		case part == nil:
			return nil, errNoFile
		case part.IsFile && part.Name != form.FileField:
			return nil, problem.New(problem.BadRequest, "A file is in the field %q. Name the field %s.",
				form.Shown(part.Name), form.FileField)
		case part.IsFile:
			f.file = part
			return f, nil
		case part.Name == form.FileField:
			return nil, form.ErrNoFileName(part.Number)
		}
		if err := f.readField(part); err != nil {
			return nil, err
		}
	}
	return nil, problem.New(problem.BadRequest, "The form has more than %d fields before its file. Send fewer.",
		maxFormFields)
}

func (f *fileForm) readField(part *form.Part) (err error) {
	if _, twice := f.fields[part.Name]; twice {
		return problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/" + part.Name, Detail: "must not occur twice"})
	}
	f.fields[part.Name], err = part.Text(maxFormField)
	return err
}

// json returns the form as an object with the values of its fields as texts, and the name of the file for the file. An
// empty field is none, as browsers send it.
func (f *fileForm) json() ([]byte, error) {
	given := map[string]string{form.FileField: strings.ToValidUTF8(f.file.FileName, "\uFFFD")}
	for name, value := range f.fields {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, problem.New(problem.BadRequest, "A field of the form is not in UTF-8.")
		}
		if value != "" {
			given[name] = value
		}
	}
	return plainjson.Marshal(given)
}

// flag returns the value of a field that is true or false, the only one that the form may have.
func (f *fileForm) flag(name string) (bool, error) {
	for other := range f.fields {
		if other != name {
			return false, problem.Invalid(problem.InvalidInput,
				problem.Fault{Pointer: "#/" + other, Detail: "unknown field; the form takes " + name + " and file"})
		}
	}
	switch strings.ToLower(f.fields[name]) {
	case "", "false":
		return false, nil
	case "true", "on": // a browser's check box sends on
		return true, nil
	}
	return false, problem.Invalid(problem.InvalidInput,
		problem.Fault{Pointer: "#/" + name, Detail: "must be true or false"})
}

// Read reads the file. The form must end after it.
func (f *fileForm) Read(p []byte) (int, error) {
	if f.end != nil {
		return 0, f.end
	}
	n, err := f.file.Read(p)
	if err != io.EOF { //nolint:errorlint // a part returns it as it is
		return n, err
	}
	switch part, err := f.parts.Next(); {
	case err != nil:
		f.end = err
	case part != nil:
		f.end = errSecondPart
	default:
		f.end = io.EOF
	}
	return n, f.end
}
