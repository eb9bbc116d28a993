package form

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/problem"
)

// Problem is a failure that the API answered with (RFC 9457).
type Problem struct {
	Title, Code, Detail string
	Faults              []Fault
}

// Fault is one thing that is wrong with the input.
type Fault struct {
	Where, Detail string
	Href          string // leads to the field; "" when no form of the page has it

	pointer, parameter string
}

// ParseProblem reads the answer of a failed request. document is nil when the answer is not JSON; then the problem has
// only the text of the status.
func ParseProblem(status int, document []byte) *Problem {
	var parsed struct {
		Title, Code, Detail string
		Errors              []problem.Fault
	}
	if json.Unmarshal(document, &parsed) != nil || parsed.Title == "" {
		return &Problem{Title: http.StatusText(status)}
	}
	p := &Problem{Title: parsed.Title, Code: parsed.Code, Detail: parsed.Detail}
	for _, fault := range parsed.Errors {
		p.Faults = append(p.Faults, Fault{
			Where: cmp.Or(fault.Parameter, fault.Pointer), Detail: fault.Detail,
			pointer: fault.Pointer, parameter: fault.Parameter,
		})
	}
	return p
}

// claim returns the details of the problem that concern a field, and links those faults to the field. p may be nil.
func (p *Problem) claim(f *Field) string {
	if p == nil {
		return ""
	}
	var details []string
	for i := range p.Faults {
		fault := &p.Faults[i]
		if f.Kind == kindRows && fault.Href != "" {
			continue // a field of a row has it
		}
		if detail, concerned := fault.of(f); concerned {
			fault.Href = "#" + f.ID
			details = append(details, detail)
		}
	}
	return strings.Join(details, "; ")
}

// of returns the detail of a fault for a field, and whether the fault concerns it.
func (fault *Fault) of(f *Field) (detail string, concerned bool) {
	if f.place != bodyPrefix {
		under := f.Prefix != "" && strings.HasPrefix(fault.parameter, f.Prefix)
		return fault.Detail, fault.parameter == f.Name || under
	}
	rest, below := strings.CutPrefix(strings.TrimPrefix(unescape(fault.pointer), "#"), f.pointer)
	if f.pointer == "" || !below || rest != "" && rest[0] != '/' {
		return "", false
	}
	if rest != "" {
		return rest + " " + fault.Detail, true
	}
	return fault.Detail, true
}

// escapePointer escapes a name in a JSON Pointer (RFC 6901 §3).
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// unescape reads a pointer that is written as a URI fragment (RFC 6901 §6).
func unescape(pointer string) string {
	if text, err := url.PathUnescape(pointer); err == nil {
		return text
	}
	return pointer
}
