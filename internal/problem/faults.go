package problem

// MaxFaults is how many faults an error lists.
const MaxFaults = 100

// Fault is one fault of the input: of the body at Pointer (RFC 6901, as a URI fragment: "#/tags/3"), or of a Parameter.
type Fault struct {
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	Detail    string `json:"detail"`
}

// Faults collects the faults of an input, so that one answer reports all of them. It ignores those beyond MaxFaults.
type Faults []Fault

// At adds a fault of the body at a JSON Pointer; an empty detail is no fault.
func (f *Faults) At(pointer, detail string) {
	if detail != "" {
		f.Add(Fault{Pointer: pointer, Detail: detail})
	}
}

// Of adds a fault of a parameter; an empty detail is no fault.
func (f *Faults) Of(parameter, detail string) {
	if detail != "" {
		f.Add(Fault{Parameter: parameter, Detail: detail})
	}
}

// Add adds faults that another check has found.
func (f *Faults) Add(found ...Fault) {
	free := max(0, MaxFaults-len(*f))
	*f = append(*f, found[:min(len(found), free)]...)
}

// Err returns an error with the code and every fault; nil when there is none.
func (f Faults) Err(code Code) error {
	if len(f) == 0 {
		return nil
	}
	return Invalid(code, f...)
}
