package spec

import (
	"encoding/json"
	"strings"

	"itemcast/internal/browse/jsontree"
)

// limit reads the limits of a schema, in words.
func limit(s *Schema, o *jsontree.Object) {
	if format := o.Text("format"); format != "" {
		s.Format = format
	}
	if value := o.Get("const"); value != nil {
		s.Limits = append(s.Limits, "always "+jsontree.Encode(value))
	}
	for _, r := range []struct{ low, high, unit string }{
		{"minLength", "maxLength", "characters"},
		{"minimum", "maximum", ""},
		{"minItems", "maxItems", "entries"},
		{"minProperties", "maxProperties", "fields"},
	} {
		if text := between(o, r.low, r.high); text != "" {
			s.Limits = append(s.Limits, strings.TrimSpace(text+" "+r.unit))
		}
	}
	for _, bound := range []struct{ keyword, words string }{
		{"exclusiveMinimum", "> "}, {"exclusiveMaximum", "< "}, {"multipleOf", "multiple of "},
	} {
		if n, ok := o.Get(bound.keyword).(json.Number); ok {
			s.Limits = append(s.Limits, bound.words+n.String())
		}
	}
	if o.IsTrue("uniqueItems") {
		s.Limits = append(s.Limits, "all different")
	}
	if detail := o.Text("x-pattern-detail"); detail != "" {
		s.Limits = append(s.Limits, detail)
	}
	if o.IsTrue("readOnly") {
		s.Limits = append(s.Limits, "read only")
	}
	if o.IsTrue("writeOnly") {
		s.Limits = append(s.Limits, "write only")
	}
	if n, ok := o.Get("maxLength").(json.Number); ok {
		if length, err := n.Int64(); err == nil {
			s.MaxLength = int(length)
		}
	}
}

// between states the range of two keywords; "" when the schema has neither.
func between(o *jsontree.Object, low, high string) string {
	minimum, hasMinimum := o.Get(low).(json.Number)
	maximum, hasMaximum := o.Get(high).(json.Number)
	switch {
	case hasMinimum && hasMaximum && minimum == maximum:
		return minimum.String()
	case hasMinimum && hasMaximum:
		return grouped(minimum) + " – " + grouped(maximum)
	case hasMinimum:
		return "≥ " + grouped(minimum)
	case hasMaximum:
		return "≤ " + grouped(maximum)
	}
	return ""
}

// grouped writes a number with separators of thousands, from five digits on.
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
