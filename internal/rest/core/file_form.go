package core

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode/utf8"

	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
	"itemcast/internal/rest/incoming"
)

const (
	fileField     = "file"
	maxFormField  = 1 << 10 // bytes of a field before the file
	maxFormFields = 20
)

// fileForm is multipart/form-data (RFC 7578) with one file, after its fields. It reads the file, and ends without an
// error only where the whole form does.
type fileForm struct {
	parts    *multipart.Reader
	fields   map[string]string
	file     *multipart.Part
	fileName string
	end      error // what follows the file
}

var (
	errNoFile = problem.New(problem.BadRequest,
		`The form has no file. Send one in the field "file", after the other fields.`)
	errSecondPart = problem.New(problem.BadRequest,
		`The form goes on after its file. Send the other fields before the file, and one file only.`)
)

// openFileForm reads the fields of a form, up to its file.
func openFileForm(r *http.Request) (*fileForm, error) {
	_, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || parameters["boundary"] == "" {
		return nil, problem.New(problem.BadRequest,
			"The Content-Type has no boundary. Let the program that writes the form set this header.")
	}
	f := &fileForm{parts: multipart.NewReader(r.Body, parameters["boundary"]), fields: map[string]string{}}
	for range maxFormFields {
		part, err := f.parts.NextRawPart()
		switch {
		case isEnd(err):
			return nil, errNoFile
		case err != nil:
			return nil, incoming.ErrIncomplete
		}
		name, fileName, isFile, err := describePart(part)
		switch {
		case err != nil:
			return nil, err
		case name == fileField && isFile:
			f.file, f.fileName = part, fileName
			return f, nil
		}
		if err := f.readField(name, part); err != nil {
			return nil, err
		}
	}
	return nil, errNoFile
}

// describePart returns what the header of a part says of it.
func describePart(part *multipart.Part) (name, fileName string, isFile bool, err error) {
	kind, parameters, invalid := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if invalid != nil || kind != "form-data" || parameters["name"] == "" {
		return "", "", false, problem.New(problem.BadRequest, "A part of the form has no name, or a malformed "+
			`Content-Disposition. Write form-data; name="file"; filename="NAME", with quotes around each value.`)
	}
	fileName, isFile = parameters["filename"]
	return parameters["name"], fileName, isFile, nil
}

func (f *fileForm) readField(name string, part io.Reader) error {
	value, err := io.ReadAll(io.LimitReader(part, maxFormField+1))
	switch {
	case err != nil:
		return incoming.ErrIncomplete
	case len(value) > maxFormField:
		return problem.New(problem.TooLarge, "A field of the form must have at most %d bytes.", maxFormField)
	}
	if _, twice := f.fields[name]; twice {
		return problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/" + name, Detail: "must not occur twice"})
	}
	f.fields[name] = string(value)
	return nil
}

// json returns the form as an object with the values of its fields as texts, and the name of the file for the file. An
// empty field is none, as browsers send it.
func (f *fileForm) json() ([]byte, error) {
	given := map[string]string{fileField: strings.ToValidUTF8(f.fileName, "\uFFFD")}
	for name, value := range f.fields {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, problem.New(problem.BadRequest, "A field of the form is not in UTF-8.")
		}
		if value != "" && name != fileField {
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
	if !isEnd(err) {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = incoming.ErrIncomplete
		}
		return n, err
	}
	_, after := f.parts.NextRawPart()
	switch {
	case isEnd(after):
		f.end = io.EOF
	case after != nil:
		f.end = incoming.ErrIncomplete
	default:
		f.end = errSecondPart
	}
	return n, f.end
}

// isEnd reports whether a form has ended. Package multipart wraps io.EOF when the body ends before the form does.
func isEnd(err error) bool { return err == io.EOF } //nolint:errorlint // see above
