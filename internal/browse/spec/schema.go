package spec

import (
	"html/template"
	"slices"
	"strings"

	"itemcast/internal/account"
)

// Schema is the part of a JSON Schema that pages show. Its zero value allows anything.
type Schema struct {
	Name         string // of the component; "" for a schema without one
	Description  template.HTML
	Types        []string // without "null"
	Nullable     bool
	Format       string
	Limits       []string // in words: "≤ 50 characters"
	Enum         []string // of strings only; null makes the schema nullable
	Default      any
	HasDefault   bool
	Examples     []any
	MaxLength    int // 0: none is stated
	Items        *Schema
	Properties   []Property
	Values       *Schema   // of properties that are not declared (additionalProperties)
	Alternatives []*Schema // anyOf and oneOf
	Deprecated   bool
	Permission   account.Permission // needed to set the value, in addition to the operation's; "" for none
	Link         string             // x-link: the path that the value identifies, "/roles/{id}"; "" for none
	Autocomplete string             // x-autocomplete: the HTML attribute; "" for none
	ReadFrom     string             // x-from: where a representation has it, "workflow/profile_id"; "" for its name
}

// Property of an object.
type Property struct {
	Name     string
	Required bool
	Schema   *Schema
}

// Is reports whether the schema has this one type, null aside.
func (s *Schema) Is(kind string) bool { return len(s.Types) == 1 && s.Types[0] == kind }

// IsSecret reports whether values must not be shown.
func (s *Schema) IsSecret() bool { return s.Is("string") && s.Format == "password" }

// Element returns what an array contains, at any depth; the schema itself when it is no array.
func (s *Schema) Element() *Schema {
	for s.Items != nil {
		s = s.Items
	}
	return s
}

// TypeText names the type as people do: "array of string", "integer or null".
func (s *Schema) TypeText() string {
	names := s.Types
	switch {
	case s.Is("array") && s.Items != nil:
		names = []string{"array of " + s.Items.elementText()}
	case s.Is("object") && s.Name != "":
		names = []string{s.Name}
	case s.Is("object") && s.Values != nil && len(s.Values.Types) > 0:
		names = []string{"object of " + s.Values.elementText()}
	case len(s.Alternatives) > 0:
		names = nil
		for _, alternative := range s.Alternatives {
			names = append(names, alternative.TypeText())
		}
	case s.Format != "":
		names = []string{strings.TrimSpace(either(s.Types) + " (" + s.Format + ")")}
	case len(s.Types) == 0:
		names = []string{"any"}
	}
	if s.Nullable {
		names = append(slices.Clone(names), "null")
	}
	return either(names)
}

// elementText is TypeText after "of": in parentheses when it has several words.
func (s *Schema) elementText() string {
	if len(s.Types)+len(s.Alternatives) > 1 || s.Nullable {
		return "(" + s.TypeText() + ")"
	}
	return s.TypeText()
}

// either joins texts to "a, b or c".
func either(texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:len(texts)-1], ", ") + " or " + texts[len(texts)-1]
}
