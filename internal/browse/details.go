package browse

import (
	"html/template"
	"slices"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/browse/jsontree"
	"itemcast/internal/browse/spec"
)

// detailsView is the documentation of an operation.
type detailsView struct {
	*spec.Operation
	Parameters []row
	Bodies     []bodyView
	Responses  []responseView
}

// row documents a value: a parameter, a header, or a member at any depth.
type row struct {
	Depth       int
	Name, In    string
	Type        string
	Required    bool
	Deprecated  bool
	Description template.HTML
	Limits      string
	Enum        []string
	Default     string
	Example     string
	Permission  account.Permission
}

type bodyView struct {
	MediaType   string
	Type        string
	Description template.HTML
	Rows        []row
}

type responseView struct {
	Status      string
	Class       string // "ok" or "bad"
	Description template.HTML
	Headers     []row
	Bodies      []bodyView
}

// details renders the whole documentation of an operation.
func details(op *spec.Operation) (template.HTML, error) {
	v := detailsView{Operation: op, Bodies: bodyViews(op.Bodies)}
	for _, p := range op.Parameters {
		r := newRow(p.Name, p.Required, p.Description, p.Schema)
		r.In = p.In
		if p.Example != nil {
			r.Example = jsontree.Encode(p.Example)
		}
		v.Parameters = append(v.Parameters, r)
	}
	for _, response := range op.Responses {
		v.Responses = append(v.Responses, newResponseView(response))
	}
	html, err := render("details.html", v)
	return template.HTML(html), err // escaped by the template
}

func newResponseView(response spec.Response) responseView {
	v := responseView{Status: response.Status, Class: "ok", Description: response.Description,
		Bodies: bodyViews(response.Bodies)}
	if !strings.HasPrefix(response.Status, "2") && !strings.HasPrefix(response.Status, "3") {
		v.Class = "bad"
		for i := range v.Bodies {
			v.Bodies[i].Rows = nil // problems have the same members everywhere
		}
	}
	for _, h := range response.Headers {
		v.Headers = append(v.Headers, newRow(h.Name, false, h.Description, h.Schema))
	}
	return v
}

func bodyViews(bodies []spec.Body) []bodyView {
	var views []bodyView
	for _, b := range bodies {
		views = append(views, bodyView{MediaType: b.MediaType, Type: b.Schema.TypeText(),
			Description: b.Schema.Description, Rows: rows(b.Schema.Element(), 0, nil)})
	}
	return views
}

// maxRowDepth bounds the depth at which members of members are documented.
const maxRowDepth = 5

// rows documents the members of a value. above are the components that contain it: a component that contains itself
// is documented once.
func rows(s *spec.Schema, depth int, above []string) []row {
	if depth > maxRowDepth || s.Name != "" && slices.Contains(above, s.Name) {
		return nil
	}
	above = append(above, s.Name)
	var all []row
	for _, p := range s.Properties {
		r := newRow(p.Name, p.Required, "", p.Schema)
		r.Depth = depth
		all = append(all, r)
		all = append(all, rows(p.Schema.Element(), depth+1, above)...)
	}
	if len(s.Properties) == 0 {
		for _, alternative := range s.Alternatives {
			all = append(all, rows(alternative, depth, above)...)
		}
	}
	return all
}

// newRow documents a value. An empty description stands for the schema's.
func newRow(name string, required bool, description template.HTML, s *spec.Schema) row {
	r := row{
		Name: name, Type: s.TypeText(), Required: required, Deprecated: s.Deprecated, Description: description,
		Limits: strings.Join(s.Limits, ", "), Enum: s.Enum, Permission: s.Permission,
	}
	if description == "" {
		r.Description = s.Description
	}
	if s.Items != nil && len(s.Items.Enum) > 0 {
		r.Enum = s.Items.Enum
	}
	if s.Items != nil && len(s.Items.Limits) > 0 {
		r.Limits = strings.TrimPrefix(r.Limits+", each "+strings.Join(s.Items.Limits, ", "), ", ")
	}
	if s.HasDefault {
		r.Default = jsontree.Encode(s.Default)
	}
	if len(s.Examples) > 0 {
		r.Example = jsontree.Encode(s.Examples[0])
	}
	return r
}
