package browse

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"itemcast/internal/account"
)

// The kinds of fields of a form. What a person types is sent as the type that the schema has; what does not fit it is sent as text, for
// the API to find it wrong.
const (
	kindText   = "text"   // a line
	kindLong   = "long"   // several lines
	kindNumber = "number" // a line, sent as a number
	kindChoice = "choice" // one of few
	kindChecks = "checks" // any of few
	kindLines  = "lines"  // texts, one a line
	kindCommas = "commas" // texts in a line, as a query writes them
	kindTime   = "time"   // a time in UTC
	kindJSON   = "json"   // whatever it is, as JSON
	kindPairs  = "pairs"  // names below a prefix, with their values
	kindSecret = "secret" // a line that nobody sees, nor finds in a form again
)

// longText is from how many characters on a text gets several lines.
const longText = 1000

// field of a form, of a parameter or of a member of a body.
type field struct {
	Name        string
	Kind        string
	Type        string // in words
	Required    bool
	Nullable    bool
	Choices     []string
	Preset      string // the default, or ""
	Hint        string // an example
	Limits      string
	Permission  account.Permission // that it needs beside the operation's; "" for none
	Description template.HTML
	Prefix      string // of kindPairs

	// What does not depend on what it holds, rendered once.
	ID          string
	Lists       string // the address of the list in which what it names is found; "" for none
	Completes   string // what a browser may fill in
	Input       string // its name in the form
	Label, Note template.HTML

	boolean bool
	link    string // the path of what it names; "" for none
	from    string // where a representation has it; "" for its name
	explode bool
	place   string // bodyPrefix, queryPrefix or headerPrefix
}

func newField(name string, required bool, description string, s *schema) field {
	f := field{Name: name, Required: required, Nullable: s.nullable, Type: s.typeText(), Limits: strings.Join(s.limits, ", "),
		Description: inline(cmp.Or(description, s.description)), place: bodyPrefix, Kind: kindOf(s), Choices: s.enum, boolean: s.is("boolean"),
		Permission: s.permission, from: s.from, link: s.link,
		Completes: cmp.Or(s.completes, "new-password")}
	switch f.Kind {
	case kindChoice:
		if f.boolean {
			f.Choices = []string{"true", "false"}
		}
	case kindChecks:
		f.Choices = s.items.enum
	}
	if s.hasPreset && s.preset != nil && s.preset != "" {
		f.Preset = plain(s.preset)
	}
	if len(s.examples) > 0 && f.Kind != kindSecret {
		f.Hint = plain(s.examples[0])
	}
	return f
}

func kindOf(s *schema) string {
	switch {
	case s.isSecret():
		return kindSecret
	case len(s.enum) > 0 && s.is("string"), s.is("boolean"):
		return kindChoice
	case s.is("integer"), s.is("number"):
		return kindNumber
	case s.is("string") && s.maxLength >= longText && s.format == "":
		return kindLong
	case s.is("string"):
		return kindText
	case s.is("array") && s.items != nil && len(s.items.enum) > 0:
		return kindChecks
	case s.is("array") && s.items != nil && s.items.is("string") && !s.items.nullable:
		return kindLines
	}
	return kindJSON
}

// parameterField is a parameter's.
func parameterField(p *parameter) field {
	f := newField(p.name, p.required, p.description, p.schema)
	f.explode, f.Prefix, f.place = p.explode, p.prefix, p.in+"."
	switch {
	case p.prefix != "":
		f.Kind = kindPairs
	case p.is("string") && p.format == "date-time":
		f.Kind = kindTime
	case f.Kind == kindLong, f.Kind == kindJSON:
		f.Kind = kindText
	case f.Kind == kindLines && !p.explode:
		f.Kind = kindCommas
	}
	if p.example != nil {
		f.Hint = plain(p.example)
	}
	return f
}

// bodyFields are those of a body that is an object; nil for every other one, which only the raw editor takes.
func bodyFields(s *schema) []field {
	var fields []field
	for _, p := range s.properties {
		fields = append(fields, newField(p.name, p.required, "", p.schema))
	}
	return fields
}

// render prepares a form's fields. Only a filter's names are the parameters' own.
func render(fields []field, id string, filters bool) error {
	for i := range fields {
		f := &fields[i]
		f.ID, f.Input = id+"-"+f.Name, f.place+f.Name
		switch {
		case filters:
			f.Input = f.Name
		case f.place != bodyPrefix:
			f.ID = id + "-" + f.Input
		}
		for name, into := range map[string]*template.HTML{"label": &f.Label, "note": &f.Note} {
			var out bytes.Buffer
			if err := templates.ExecuteTemplate(&out, name, f); err != nil {
				return fmt.Errorf("render the field %s: %w", f.ID, err)
			}
			*into = template.HTML(out.String()) // of a template
		}
	}
	return nil
}

// plain is a JSON value as a person types it.
func plain(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return inWords(value)
}

// kindFor is the kind that can show a value without losing any of it.
func (f *field) kindFor(value json.RawMessage) string {
	var text string
	switch {
	case isNothing(value):
		return f.Kind
	case f.Kind == kindText || f.Kind == kindLong || f.Kind == kindChoice && !f.boolean:
		if json.Unmarshal(value, &text) != nil {
			return kindJSON
		}
		if f.Kind == kindChoice && !slices.Contains(f.Choices, text) {
			return kindText
		}
		if strings.ContainsAny(text, "\r\n") {
			return kindLong
		}
	case f.Kind == kindLines || f.Kind == kindChecks:
		var texts []string
		if json.Unmarshal(value, &texts) != nil || slices.ContainsFunc(texts, func(text string) bool {
			return f.Kind == kindLines && (strings.TrimSpace(text) != text || text == "" || strings.ContainsAny(text, "\r\n")) ||
				f.Kind == kindChecks && !slices.Contains(f.Choices, text)
		}) {
			return kindJSON
		}
	}
	return f.Kind
}

// shown is what a form holds for a value: the texts of its field.
func (f *field) shown(value json.RawMessage) []string {
	if isNothing(value) {
		return nil
	}
	switch f.kindFor(value) {
	case kindText, kindLong, kindChoice:
		if !f.boolean {
			var text string
			_ = json.Unmarshal(value, &text) // kindFor has tried
			return []string{text}
		}
	case kindLines:
		var texts []string
		_ = json.Unmarshal(value, &texts)
		return []string{strings.Join(texts, "\n")}
	case kindChecks:
		var texts []string
		_ = json.Unmarshal(value, &texts)
		return texts
	case kindJSON:
		return []string{indented(value)}
	}
	return []string{string(value)}
}

func isNothing(value json.RawMessage) bool { return len(value) == 0 || string(value) == "null" }

// indented lays a JSON value out for an editor.
func indented(value []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, value, "", "  ") != nil {
		return string(value)
	}
	return out.String()
}

// value is what was typed, as JSON; nil when it is nothing. The error tells why it cannot be JSON.
func (f *field) value(kind string, typed []string) (json.RawMessage, error) {
	text := strings.ReplaceAll(strings.Join(typed, "\n"), "\r\n", "\n")
	switch kind {
	case kindChecks, kindLines:
		texts := []string{}
		for line := range strings.SplitSeq(text, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				texts = append(texts, line)
			}
		}
		if len(texts) == 0 {
			return nil, nil
		}
		return json.Marshal(texts)
	case kindNumber:
		return f.number(strings.TrimSpace(text)), nil
	case kindChoice:
		if text == "" || f.boolean && slices.Contains(f.Choices, text) {
			return json.RawMessage(text), nil
		}
	case kindJSON:
		if strings.TrimSpace(text) == "" {
			return nil, nil
		}
		if _, err := parse([]byte(text)); err != nil {
			return nil, fmt.Errorf("is not JSON: %w", err)
		}
		return json.RawMessage(strings.TrimSpace(text)), nil
	}
	if text == "" {
		return nil, nil
	}
	return json.RawMessage(quote(text)), nil
}

// number keeps every digit; what is no number stays a text.
func (f *field) number(text string) json.RawMessage {
	if value, err := parse([]byte(text)); err == nil {
		if n, ok := value.(json.Number); ok && n.String() == text {
			return json.RawMessage(text)
		}
	}
	if text == "" {
		return nil
	}
	return json.RawMessage(quote(text))
}
