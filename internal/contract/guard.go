package contract

import (
	"fmt"
	"net/http"
	"strings"

	"itemcast/internal/problem"
)

// Options of a Guard.
type Options struct {
	BodyLimit int64     // of a JSON body, in bytes; 0: 1 MiB
	Problems  *Problems // answers bad requests
}

// Guard registers handlers on a mux, each behind the check of its operation. Generated code takes it for its ServeMux.
type Guard struct {
	document *Document
	mux      *http.ServeMux
	options  Options
}

// Guard makes a Guard in front of mux. Generated code must register below Base.
func (d *Document) Guard(mux *http.ServeMux, options Options) *Guard {
	if options.BodyLimit <= 0 {
		options.BodyLimit = 1 << 20
	}
	return &Guard{document: d, mux: mux, options: options}
}

// HandleFunc registers a handler for "METHOD /base/path/{parameter}". It panics if the document has no such operation,
// or one that the Guard cannot check, as the mux panics for a bad pattern: the program is wrong.
func (g *Guard) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	op, err := g.document.operation(pattern, g.options)
	if err != nil {
		panic(fmt.Sprintf("contract: register %q: %v", pattern, err))
	}
	g.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		checked, err := op.check(w, r)
		if err != nil {
			if problem.Is(err, problem.UnsupportedMediaType) && r.Method == http.MethodPatch {
				w.Header().Set("Accept-Patch", strings.Join(op.body.types, ", ")) // RFC 5789 §2.2
			}
			g.options.Problems.Write(w, r, err)
			return
		}
		handler(w, checked)
	})
}

// ServeHTTP serves the mux.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// operation holds the checks of one operation.
type operation struct {
	path    []parameter
	query   query
	headers []parameter
	answers []string // media types
	body    *body    // nil: the operation takes none
}

// check returns the request for the handler.
func (op *operation) check(w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	for i := range op.path {
		if p := &op.path[i]; !p.fits(r.PathValue(p.name)) {
			return nil, errNoPlace(p)
		}
	}
	if accept := r.Header["Accept"]; len(accept) > 0 && !acceptable(accept, op.answers) {
		return nil, problem.New(problem.NotAcceptable, "The answer can be %s.", strings.Join(op.answers, " or "))
	}
	if err := op.body.checkType(r); err != nil {
		return nil, err
	}
	faults := op.headerFaults(r.Header)
	checked, more, err := op.query.check(r)
	if err != nil {
		return nil, err
	}
	faults.Add(more...)
	checked, more, err = op.body.check(w, checked, len(faults) > 0)
	if err != nil {
		return nil, err
	}
	faults.Add(more...)
	return checked, faults.Err(problem.InvalidInput)
}

// errNoPlace returns the error for a path in which a parameter cannot have its value.
func errNoPlace(p *parameter) error {
	if p.uuid {
		return problem.New(problem.NotFound,
			"There is nothing at this address: its %s must be a UUID, such as 01a21c5d-bfd8-79b1-839f-ebc0c74ef7f3.", p.name)
	}
	return problem.New(problem.NotFound, "There is nothing at this address.")
}

func (op *operation) headerFaults(header http.Header) problem.Faults {
	var faults problem.Faults
	for i := range op.headers {
		p := &op.headers[i]
		switch values := header[p.canonical]; {
		case len(values) == 1:
			faults.Add(p.faults(p.name, values)...)
		case len(values) > 1:
			faults.Of(p.name, "must be given only once")
		case p.required:
			faults.Of(p.name, "is required")
		}
	}
	return faults
}
