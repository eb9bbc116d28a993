package browse

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"itemcast/internal/account"
)

// row documents a value: a parameter, or a member at any depth.
type row struct {
	Depth       int
	Name, In    string
	Type        string
	Required    bool
	Deprecated  bool
	Description template.HTML
	Limits      string
	Enum        []string
	Preset      string
	Example     string
	Permission  account.Permission
}

// depth bounds how far the members of members are documented.
const deepest = 5

func newRow(name string, required bool, description string, s *schema) row {
	r := row{Name: name, Type: s.typeText(), Required: required, Deprecated: s.deprecated, Limits: strings.Join(s.limits, ", "), Enum: s.enum, Permission: s.permission}
	if description == "" {
		description = s.description
	}
	r.Description = inline(description)
	if s.items != nil && len(s.items.enum) > 0 {
		r.Enum = s.items.enum
	}
	if s.items != nil && len(s.items.limits) > 0 {
		r.Limits = strings.TrimPrefix(r.Limits+", each "+strings.Join(s.items.limits, ", "), ", ")
	}
	if s.hasPreset {
		r.Preset = inWords(s.preset)
	}
	if len(s.examples) > 0 {
		r.Example = inWords(s.examples[0])
	}
	return r
}

// rows documents the members of a value.
func rows(s *schema, depth int, above []string) []row {
	if s == nil || depth > deepest || s.name != "" && slices.Contains(above, s.name) {
		return nil
	}
	above = append(above, s.name)
	var all []row
	for _, p := range s.properties {
		r := newRow(p.name, p.required, "", p.schema)
		r.Depth = depth
		all = append(all, r)
		all = append(all, rows(within(p.schema), depth+1, above)...)
	}
	if len(s.properties) == 0 && len(s.anyOf) > 0 {
		for _, one := range s.anyOf {
			all = append(all, rows(one, depth, above)...)
		}
	}
	return all
}

// within is what a value has members of: itself, or each of its entries.
func within(s *schema) *schema {
	for s.items != nil {
		s = s.items
	}
	return s
}

type contentView struct {
	MediaType string
	Type      string
	About     template.HTML
	Rows      []row
}

type answerRow struct {
	Status      string
	Class       string
	Description template.HTML
	Headers     []row
	Contents    []contentView
}

type detailsView struct {
	*operation
	Needed     bool
	Parameters []row
	Bodies     []contentView
	Answers    []answerRow
}

// details renders all that a document says of an operation.
func details(op *operation) (template.HTML, error) {
	v := detailsView{operation: op, Needed: op.bodyNeeded}
	for _, p := range op.parameters {
		r := newRow(p.name, p.required, p.description, p.schema)
		r.In = p.in
		if p.example != nil {
			r.Example = inWords(p.example)
		}
		v.Parameters = append(v.Parameters, r)
	}
	v.Bodies = contents(op.bodies)
	for _, a := range op.answers {
		row := answerRow{Status: a.status, Class: "bad", Description: inline(a.description), Contents: contents(a.types)}
		if strings.HasPrefix(a.status, "2") || strings.HasPrefix(a.status, "3") {
			row.Class = "ok"
		} else {
			for i := range row.Contents {
				row.Contents[i].Rows = nil // a problem is the same everywhere
			}
		}
		for _, h := range a.headers {
			row.Headers = append(row.Headers, newRow(h.name, false, h.description, h.schema))
		}
		v.Answers = append(v.Answers, row)
	}
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, "details.html", v); err != nil {
		return "", fmt.Errorf("render the documentation of %s: %w", op.ID, err)
	}
	return template.HTML(out.String()), nil // of a template
}

func contents(bodies []body) []contentView {
	var all []contentView
	for _, b := range bodies {
		all = append(all, contentView{MediaType: b.mediaType, Type: b.typeText(), About: inline(b.description), Rows: rows(within(b.schema), 0, nil)})
	}
	return all
}
