package spec

import (
	"cmp"
	"slices"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/browse/jsontree"
)

// schemas reads the schemas of a document, each component once.
type schemas struct {
	references
	known map[string]*Schema
	links map[string]string // x-link, by the property's name
}

func newSchemas(root *jsontree.Object) schemas {
	return schemas{references: references{root}, known: map[string]*Schema{}, links: map[string]string{}}
}

func (all *schemas) read(node any) *Schema {
	here, _ := node.(*jsontree.Object)
	if here == nil {
		return &Schema{}
	}
	if here.Text("$ref") == "" {
		s := &Schema{}
		all.fill(s, here)
		return s
	}
	target, name := all.follow(node)
	s := all.known[name]
	if s == nil {
		s = &Schema{Name: name}
		all.known[name] = s // before reading it, as it may contain itself
		all.fill(s, target)
	}
	if !slices.ContainsFunc(here.Names(), isAnnotation) {
		return s
	}
	own := *s
	annotate(&own, here)
	return &own
}

// isAnnotation reports whether a keyword beside a $ref changes what people read.
func isAnnotation(keyword string) bool {
	switch keyword {
	case "description", "default", "examples", "deprecated":
		return true
	}
	return strings.HasPrefix(keyword, "x-")
}

func (all *schemas) fill(s *Schema, o *jsontree.Object) {
	for _, part := range o.List("allOf") {
		merge(s, all.read(part))
	}
	if types := o.Texts("type"); len(types) > 0 {
		s.Types = types
	}
	for _, value := range o.List("enum") {
		if text, ok := value.(string); ok {
			s.Enum = append(s.Enum, text)
		} else if value == nil {
			s.Nullable = true
		}
	}
	if len(s.Enum) > 0 && len(s.Types) == 0 {
		s.Types = []string{"string"}
	}
	for _, alternative := range slices.Concat(o.List("anyOf"), o.List("oneOf")) {
		s.Alternatives = append(s.Alternatives, all.read(alternative))
	}
	foldNull(s)
	if at := slices.Index(s.Types, "null"); at >= 0 && len(s.Types) > 1 {
		s.Nullable, s.Types = true, slices.Delete(s.Types, at, at+1)
	}
	if o.Has("items") {
		s.Items = all.read(o.Get("items"))
	}
	all.fillProperties(s, o)
	annotate(s, o)
	limit(s, o)
}

func (all *schemas) fillProperties(s *Schema, o *jsontree.Object) {
	required := o.List("required")
	properties := o.Object("properties")
	for _, name := range properties.Names() {
		value := all.read(properties.Get(name))
		s.Properties = append(s.Properties,
			Property{Name: name, Required: slices.Contains(required, any(name)), Schema: value})
		if value.Link != "" {
			all.links[name] = value.Link
		}
	}
	if values := o.Object("additionalProperties"); values != nil {
		s.Values = all.read(values)
	}
}

// foldNull makes an alternative of one schema and null that schema, nullable.
func foldNull(s *Schema) {
	rest := slices.DeleteFunc(slices.Clone(s.Alternatives), func(one *Schema) bool { return one.Is("null") })
	if len(rest) != 1 || len(rest) == len(s.Alternatives) {
		return
	}
	s.Alternatives = nil
	merge(s, rest[0])
	s.Nullable = true
}

// merge adds the statements of another schema.
func merge(s, other *Schema) {
	s.Name = cmp.Or(s.Name, other.Name)
	s.Description = cmp.Or(s.Description, other.Description)
	if len(s.Types) == 0 {
		s.Types = other.Types
	}
	s.Format = cmp.Or(other.Format, s.Format)
	s.Items = cmp.Or(s.Items, other.Items)
	s.Values = cmp.Or(s.Values, other.Values)
	s.MaxLength = cmp.Or(other.MaxLength, s.MaxLength)
	if other.HasDefault {
		s.Default, s.HasDefault = other.Default, true
	}
	s.Nullable = s.Nullable || other.Nullable
	s.Enum = append(s.Enum, other.Enum...)
	s.Examples = append(s.Examples, other.Examples...)
	s.Limits = append(s.Limits, other.Limits...)
	s.Properties = append(s.Properties, other.Properties...)
}

// annotate reads the keywords that may also stand beside a $ref.
func annotate(s *Schema, o *jsontree.Object) {
	if text := o.Text("description"); text != "" {
		s.Description = inline(text)
	} else if text := o.Text("title"); text != "" && s.Description == "" {
		s.Description = inline(text)
	}
	if o.Has("default") {
		s.Default, s.HasDefault = o.Get("default"), true
	}
	if examples := o.List("examples"); len(examples) > 0 {
		s.Examples = examples
	} else if o.Has("example") {
		s.Examples = []any{o.Get("example")}
	}
	s.Deprecated = s.Deprecated || o.IsTrue("deprecated")
	s.Permission = cmp.Or(account.Permission(o.Text("x-permission")), s.Permission)
	s.Link = cmp.Or(o.Text("x-link"), s.Link)
	s.Autocomplete = cmp.Or(o.Text("x-autocomplete"), s.Autocomplete)
	s.ReadFrom = cmp.Or(o.Text("x-from"), s.ReadFrom)
}
