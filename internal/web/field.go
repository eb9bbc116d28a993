package web

import (
	"strings"

	"itemcast/internal/problem"
	"itemcast/internal/web/text"
)

// field is a control of a form, as field.html draws it: a label, the control, a hint, and what is wrong with its value.
type field struct {
	Name      string
	Form      string // a prefix of its id; "" unless another form of the page has a field of this name
	Label     string
	Hint      string
	Kind      string // text, lines, number, date, choice, boxes
	Value     string
	Options   []option // of a choice and of boxes
	Rows      int      // of lines
	MaxLength int      // characters; 0: no limit
	Required  bool     // the page marks it; the service checks it
	Fault     string
	Disabled  bool
}

// ID is the id of the control. Two forms of a page may have fields of one name.
func (f field) ID() string { return f.Form + f.Name }

// Descriptions are the ids of what describes the control.
func (f field) Descriptions() string {
	var ids []string
	if f.Fault != "" {
		ids = append(ids, f.ID()+"-fault")
	}
	if f.Hint != "" {
		ids = append(ids, f.ID()+"-hint")
	}
	return strings.Join(ids, " ")
}

// option is a value of a choice.
type option struct {
	Value, Text string
	Selected    bool
}

// withFaults puts what a service found wrong beside the fields. It returns the faults of no field of the form.
func withFaults(l *text.Language, fields []field, faults problem.Faults) (others []string) {
	for _, fault := range faults {
		place := strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(fault.Pointer, "#"), "/"), "/", ".")
		if fault.Parameter != "" {
			place = fault.Parameter
		}
		detail := translateFault(l, fault.Detail)
		if !putFault(fields, place, detail) {
			others = append(others, strings.TrimSpace(place+" "+detail))
		}
	}
	return others
}

// putFault finds the field of a place: that of the name, or of what the place is a part of, as tags.3 is of tags.
func putFault(fields []field, place, detail string) bool {
	for n := range fields {
		if name := fields[n].Name; place == name || strings.HasPrefix(place, name+".") {
			fields[n].Fault = strings.TrimSpace(fields[n].Fault + " " + detail)
			return true
		}
	}
	return false
}

// translateFault writes a service's fault as a sentence, in the language if it knows the fault.
func translateFault(l *text.Language, detail string) string {
	for _, known := range []struct{ prefix, key string }{
		{"must have at most ", "fault.atmost"},
		{"must be one of ", "fault.oneof"},
	} {
		if rest, ok := strings.CutPrefix(detail, known.prefix); ok && l.Tag != "en" {
			return l.Get(known.key, strings.Replace(rest, "characters", l.Get("fault.characters"), 1))
		}
	}
	return l.Or("fault."+detail, l.Get("fault.sentence", detail))
}
