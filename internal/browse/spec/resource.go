package spec

import (
	"slices"
	"strings"
)

// Resource is a path of the document.
type Resource struct {
	Path       string   // "/items/{id}"
	Steps      []string // "items", "{id}"
	Operations []*Operation
	Children   []*Resource // below, by steps that are not variables
	Allow      string      // the value of the Allow header
	Excerpt    []byte      // the part of the document about this path, itself an OpenAPI document
}

// Operation returns what a method does; nil for nothing. The resource may be nil.
func (r *Resource) Operation(method string) *Operation {
	if r == nil {
		return nil
	}
	for _, op := range r.Operations {
		if op.Method == method {
			return op
		}
	}
	return nil
}

// IsFixed reports whether the path has no variables, so that it is an address.
func (r *Resource) IsFixed() bool { return !slices.ContainsFunc(r.Steps, isVariable) }

// IsOne reports whether the path identifies one of several things, as /items/{id} does.
func (r *Resource) IsOne() bool { return len(r.Steps) > 0 && isVariable(r.Steps[len(r.Steps)-1]) }

// below returns the steps that lead from a resource above to this one.
func (r *Resource) below(above *Resource) (steps []string, below bool) {
	n := len(above.Steps)
	if len(r.Steps) <= n || !slices.Equal(r.Steps[:n], above.Steps) {
		return nil, false
	}
	return r.Steps[n:], true
}

func isVariable(step string) bool { return strings.HasPrefix(step, "{") }

// Steps returns the segments of a path.
func Steps(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}
