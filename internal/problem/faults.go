package problem

import (
	"cmp"
	"fmt"
	"strings"
)

// MaxFaults is the maximum number of faults in an error.
const MaxFaults = 100

// Fault is a fault of the input: either of the body at Pointer (RFC 6901, as a URI fragment: "#/tags/3"), or of the
// Parameter.
type Fault struct {
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	Detail    string `json:"detail"`
}

// Faults collects the faults of an input, so that one response reports them all. It ignores those beyond MaxFaults.
type Faults []Fault

// At adds a fault of the body at a JSON Pointer, unless the detail is empty.
func (f *Faults) At(pointer, detail string) {
	if detail != "" {
		f.Add(Fault{Pointer: pointer, Detail: detail})
	}
}

// Of adds a fault of a parameter, unless the detail is empty.
func (f *Faults) Of(parameter, detail string) {
	if detail != "" {
		f.Add(Fault{Parameter: parameter, Detail: detail})
	}
}

// Add adds the faults that another check has found.
func (f *Faults) Add(found ...Fault) {
	free := max(0, MaxFaults-len(*f))
	*f = append(*f, found[:min(len(found), free)]...)
}

// summary returns a sentence with the first fault and the number of the others.
func (f Faults) summary() string {
	if len(f) == 0 {
		return "The input is not valid."
	}
	text := "The input is not valid"
	if place := cmp.Or(f[0].Parameter, strings.TrimPrefix(strings.TrimPrefix(f[0].Pointer, "#"), "/")); place != "" {
		text += " at " + place
	}
	text += ": " + f[0].Detail
	if more := len(f) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more; see errors)", more)
	}
	if strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// Err returns an error with the code and the faults, or nil if there are none.
func (f Faults) Err(code Code) error {
	if len(f) == 0 {
		return nil
	}
	return Invalid(code, f...)
}
