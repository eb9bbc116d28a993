package form

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/browse/jsontree"
	"itemcast/internal/browse/spec"
)

// The kinds of fields.
const (
	kindText   = "text"   // a line
	kindLong   = "long"   // several lines
	kindNumber = "number" // a line, sent as a number
	kindChoice = "choice" // one of few
	kindChecks = "checks" // any of few
	kindLines  = "lines"  // texts, one per line
	kindTime   = "time"   // a time in UTC
	kindRows   = "rows"   // objects, each with fields of its own
	kindJSON   = "json"   // any other value
	kindPairs  = "pairs"  // names below a prefix, with their values
	kindSecret = "secret" // a line that is neither shown nor filled in again
)

// minLongText decides when a text gets several lines: when it may have at least this many characters.
const minLongText = 1000

// Field is the control for a parameter or for a member of a body.
type Field struct {
	Name         string
	Kind         string
	Type         string // in words
	Required     bool
	Choices      []string
	Default      string // "" for none
	Example      string
	Limits       string
	Permission   account.Permission // needed in addition to the operation's; "" for none
	Description  template.HTML
	Prefix       string // of kindPairs
	Autocomplete string // the HTML attribute

	ID          string // in the page
	Control     string // the name that a browser sends
	List        string // the address of the list in which the value is chosen; "" for none
	Label, Note template.HTML

	isBoolean, isNullable bool
	isArray               bool
	readFrom              string  // see spec.Schema.ReadFrom
	place                 string  // bodyPrefix, queryPrefix or headerPrefix
	pointer               string  // of the value in the body (RFC 6901); "" for a value outside
	members               []Field // of kindRows: of an object
}

// newField makes the field of a schema. The description is the parameter's; "" for the schema's.
func newField(name string, required bool, description template.HTML, s *spec.Schema) Field {
	f := Field{
		Name: name, Kind: kindOf(s), Type: s.TypeText(), Required: required, Choices: s.Enum,
		Limits: strings.Join(s.Limits, ", "), Permission: s.Permission,
		Description: cmp.Or(description, s.Description),
		// Under new-password, browsers do not fill in the password of this site.
		Autocomplete: cmp.Or(s.Autocomplete, "new-password"),
		isBoolean:    s.Is("boolean"), isNullable: s.Nullable, isArray: s.Is("array"), readFrom: s.ReadFrom,
		place: bodyPrefix, pointer: "/" + escapePointer.Replace(name),
	}
	switch {
	case f.Kind == kindChoice && f.isBoolean:
		f.Choices = []string{"true", "false"}
	case f.Kind == kindChecks:
		f.Choices = s.Items.Enum
	}
	if s.HasDefault && s.Default != nil && s.Default != "" {
		f.Default = typed(s.Default)
	}
	if len(s.Examples) > 0 && f.Kind != kindSecret {
		f.Example = typed(s.Examples[0])
	}
	switch {
	case f.Example != "":
	case f.Kind == kindText && s.Format == "date-time":
		f.Example = "2027-01-31T12:00:00Z"
	case f.Kind == kindJSON:
		f.Example = sample(s)
	}
	return f
}

// sample writes an object with one of its text members, to show the form of its JSON; "" for a schema without one.
func sample(s *spec.Schema) string {
	for _, p := range s.Properties {
		switch {
		case p.Schema.Is("array") && p.Schema.Items != nil && p.Schema.Items.Is("string") && len(p.Schema.Items.Enum) == 0:
			return `{"` + p.Name + `": ["text"]}`
		case p.Schema.Is("string") && p.Schema.Format == "" && len(p.Schema.Enum) == 0:
			return `{"` + p.Name + `": "text"}`
		}
	}
	return ""
}

func kindOf(s *spec.Schema) string {
	switch {
	case s.IsSecret():
		return kindSecret
	case len(s.Enum) > 0 && s.Is("string"), s.Is("boolean"):
		return kindChoice
	case s.Is("integer"), s.Is("number"):
		return kindNumber
	case s.Is("string") && s.MaxLength >= minLongText && s.Format == "":
		return kindLong
	case s.Is("string"):
		return kindText
	case s.Is("array") && s.Items != nil && len(s.Items.Enum) > 0:
		return kindChecks
	case s.Is("array") && s.Items != nil && s.Items.Is("string") && !s.Items.Nullable:
		return kindLines
	case isRows(s):
		return kindRows
	}
	return kindJSON
}

// parameterField makes the field of a parameter.
func parameterField(p *spec.Parameter) Field {
	f := newField(p.Name, p.Required, p.Description, p.Schema)
	f.Prefix, f.place, f.pointer = p.Prefix, p.In+".", ""
	switch {
	case p.Prefix != "":
		f.Kind = kindPairs
	case p.Schema.Is("string") && p.Schema.Format == "date-time":
		f.Kind = kindTime
	case f.Kind == kindLong, f.Kind == kindRows, f.Kind == kindJSON:
		f.Kind = kindText
	}
	if p.Example != nil {
		f.Example = typed(p.Example)
	}
	return f
}

// render renders the parts of a field that do not depend on its value. form is the id of its form in the page. The
// controls of a filter are named like the parameters: a browser makes the query from them.
func (f *Field) render(form string, filter bool) error {
	f.ID, f.Control = form+"-"+f.Name, f.place+f.Name
	switch {
	case filter:
		f.Control = f.Name
	case f.place != bodyPrefix:
		f.ID = form + "-" + f.Control
	}
	for name, into := range map[string]*template.HTML{"label": &f.Label, "note": &f.Note} {
		var out bytes.Buffer
		if err := templates.ExecuteTemplate(&out, name, f); err != nil {
			return fmt.Errorf("render the field %s: %w", f.ID, err)
		}
		*into = template.HTML(out.String()) // escaped by the template
	}
	for i := range f.members {
		if err := f.members[i].render(form, filter); err != nil {
			return err
		}
	}
	return nil
}

// typed returns a JSON value as a person types it.
func typed(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return jsontree.Encode(value)
}
