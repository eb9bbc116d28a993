package browse

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"itemcast/internal/account"
)

// schema is what a JSON Schema says to people.
type schema struct {
	name        string // of the component; "" for one that has none
	description string
	types       []string // without null
	nullable    bool
	format      string
	limits      []string // in words
	enum        []string // of strings; null makes it nullable
	preset      any      // the default
	hasPreset   bool
	examples    []any
	maxLength   int // 0: no limit known
	items       *schema
	properties  []property
	open        *schema // of values under names that are not declared
	anyOf       []*schema
	deprecated  bool
	permission  account.Permission // without which it cannot be set, beside the operation's; "" for none
	link        string             // x-link: the path of what a value names, such as /roles/{id}; "" for none
	completes   string             // x-autocomplete: what a browser may fill in; "" for what it likes
	from        string             // x-from: where a representation has what is set by this, such as workflow/profile_id; "" for the same name
}

type property struct {
	name     string
	required bool
	*schema
}

// is reports whether a value has this one type, or is null.
func (s *schema) is(kind string) bool { return len(s.types) == 1 && s.types[0] == kind }

// isSecret reports whether a value is for nobody's eyes.
func (s *schema) isSecret() bool { return s.is("string") && s.format == "password" }

// schemas reads the schemas of a document, each component once.
type schemas struct {
	spec
	known map[string]*schema
	links map[string]string // of properties, by their names: x-link
}

func (all *schemas) read(node any) *schema {
	here, _ := node.(*object)
	if here == nil {
		return &schema{}
	}
	if here.text("$ref") == "" {
		s := &schema{}
		all.fill(s, here)
		return s
	}
	target, name := all.follow(node)
	s := all.known[name]
	if s == nil {
		s = &schema{name: name}
		all.known[name] = s // before it is read: it may contain itself
		all.fill(s, target)
	}
	if !slices.ContainsFunc(here.keys(), func(key string) bool {
		return key == "description" || strings.HasPrefix(key, "x-") || key == "default" || key == "examples" || key == "deprecated"
	}) {
		return s
	}
	own := *s
	all.annotate(&own, here)
	return &own
}

func (all *schemas) fill(s *schema, o *object) {
	for _, part := range o.list("allOf") {
		all.merge(s, all.read(part))
	}
	switch kind := o.get("type").(type) {
	case string:
		s.types = []string{kind}
	case []any:
		for _, one := range kind {
			if text, ok := one.(string); ok {
				s.types = append(s.types, text)
			}
		}
	}
	for _, value := range o.list("enum") {
		if text, ok := value.(string); ok {
			s.enum = append(s.enum, text)
		} else if value == nil {
			s.nullable = true
		}
	}
	if value := o.get("const"); value != nil {
		s.limits = append(s.limits, "always "+inWords(value))
	}
	if len(s.enum) > 0 && len(s.types) == 0 {
		s.types = []string{"string"}
	}
	for _, one := range slices.Concat(o.list("anyOf"), o.list("oneOf")) {
		s.anyOf = append(s.anyOf, all.read(one))
	}
	all.foldNull(s)
	if at := slices.Index(s.types, "null"); at >= 0 && len(s.types) > 1 {
		s.nullable, s.types = true, slices.Delete(s.types, at, at+1)
	}
	if o.has("items") {
		s.items = all.read(o.get("items"))
	}
	required := o.list("required")
	properties := o.object("properties")
	for _, name := range properties.keys() {
		p := property{name: name, required: slices.Contains(required, any(name)), schema: all.read(properties.get(name))}
		s.properties = append(s.properties, p)
		if p.link != "" {
			all.links[name] = p.link
		}
	}
	if child := o.object("additionalProperties"); child != nil {
		s.open = all.read(child)
	}
	all.annotate(s, o)
	all.limit(s, o)
}

// foldNull makes "this or null" what it is meant to be: this, nullable.
func (all *schemas) foldNull(s *schema) {
	rest := slices.DeleteFunc(slices.Clone(s.anyOf), func(one *schema) bool { return one.is("null") })
	if len(rest) != 1 || len(rest) == len(s.anyOf) {
		return
	}
	s.anyOf = nil
	all.merge(s, rest[0])
	s.nullable = true
}

// merge adds what another schema says.
func (all *schemas) merge(s, other *schema) {
	if s.name == "" {
		s.name = other.name
	}
	if s.description == "" {
		s.description = other.description
	}
	if len(s.types) == 0 {
		s.types = other.types
	}
	if other.format != "" {
		s.format = other.format
	}
	if s.items == nil {
		s.items = other.items
	}
	if s.open == nil {
		s.open = other.open
	}
	if other.maxLength > 0 {
		s.maxLength = other.maxLength
	}
	if other.hasPreset {
		s.preset, s.hasPreset = other.preset, true
	}
	s.nullable = s.nullable || other.nullable
	s.enum = append(s.enum, other.enum...)
	s.examples = append(s.examples, other.examples...)
	s.limits = append(s.limits, other.limits...)
	s.properties = append(s.properties, other.properties...)
}

// annotate reads what may stand beside a $ref too.
func (all *schemas) annotate(s *schema, o *object) {
	if text := o.text("description"); text != "" {
		s.description = text
	} else if text := o.text("title"); text != "" && s.description == "" {
		s.description = text
	}
	if o.has("default") {
		s.preset, s.hasPreset = o.get("default"), true
	}
	if examples := o.list("examples"); len(examples) > 0 {
		s.examples = examples
	} else if o.has("example") {
		s.examples = []any{o.get("example")}
	}
	s.deprecated = s.deprecated || o.isTrue("deprecated")
	s.permission = cmp.Or(account.Permission(o.text("x-permission")), s.permission)
	s.link = cmp.Or(o.text("x-link"), s.link)
	s.completes = cmp.Or(o.text("x-autocomplete"), s.completes)
	s.from = cmp.Or(o.text("x-from"), s.from)
}

// limit says in words what is allowed.
func (all *schemas) limit(s *schema, o *object) {
	if format := o.text("format"); format != "" {
		s.format = format
	}
	between := func(low, high, unit string) {
		least, hasLeast := o.get(low).(json.Number)
		most, hasMost := o.get(high).(json.Number)
		switch {
		case hasLeast && hasMost && least == most:
			s.limits = append(s.limits, join(least.String(), unit))
		case hasLeast && hasMost:
			s.limits = append(s.limits, join(grouped(least)+" – "+grouped(most), unit))
		case hasLeast:
			s.limits = append(s.limits, join("≥ "+grouped(least), unit))
		case hasMost:
			s.limits = append(s.limits, join("≤ "+grouped(most), unit))
		}
	}
	between("minLength", "maxLength", "characters")
	between("minimum", "maximum", "")
	between("minItems", "maxItems", "entries")
	between("minProperties", "maxProperties", "fields")
	for _, bound := range [][2]string{{"exclusiveMinimum", "> "}, {"exclusiveMaximum", "< "}, {"multipleOf", "multiple of "}} {
		if n, ok := o.get(bound[0]).(json.Number); ok {
			s.limits = append(s.limits, bound[1]+n.String())
		}
	}
	if o.isTrue("uniqueItems") {
		s.limits = append(s.limits, "all different")
	}
	if detail := o.text("x-pattern-detail"); detail != "" {
		s.limits = append(s.limits, detail)
	}
	if o.isTrue("readOnly") {
		s.limits = append(s.limits, "only read")
	}
	if o.isTrue("writeOnly") {
		s.limits = append(s.limits, "only written")
	}
	if n, ok := o.get("maxLength").(json.Number); ok {
		if length, err := n.Int64(); err == nil {
			s.maxLength = int(length)
		}
	}
}

// typeText names the type as people do.
func (s *schema) typeText() string {
	kinds := s.types
	switch {
	case s.is("array") && s.items != nil:
		kinds = []string{"array of " + s.items.elementText()}
	case s.is("object") && s.name != "":
		kinds = []string{s.name}
	case s.is("object") && s.open != nil && len(s.open.types) > 0:
		kinds = []string{"object of " + s.open.elementText()}
	case len(s.anyOf) > 0:
		kinds = nil
		for _, one := range s.anyOf {
			kinds = append(kinds, one.typeText())
		}
	case s.format != "":
		kinds = []string{join(either(s.types), "("+s.format+")")}
	case len(s.types) == 0:
		kinds = []string{"any"}
	}
	if s.nullable {
		kinds = append(slices.Clone(kinds), "null")
	}
	return either(kinds)
}

// elementText is the type of what there are several of.
func (s *schema) elementText() string {
	if len(s.types)+len(s.anyOf) > 1 || s.nullable {
		return "(" + s.typeText() + ")"
	}
	return s.typeText()
}

// either is "a, b or c".
func either(texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:len(texts)-1], ", ") + " or " + texts[len(texts)-1]
}

// grouped writes a number with its thousands apart.
func grouped(n json.Number) string {
	digits := n.String()
	if strings.ContainsAny(digits, ".eE-") || len(digits) < 5 {
		return digits
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " ")
}
