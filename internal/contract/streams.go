package contract

import (
	"net/http"
	"strings"
)

// Streams returns a function that reports whether a request is for an operation marked x-streams. The body of such a
// request or answer lasts for as long as its client takes part, so general deadlines do not apply.
//
// Every request passes here before any mux. The function allocates nothing: to ask a mux instead took a tenth of the
// CPU time of a GET.
func (d *Document) Streams() func(*http.Request) bool {
	var streaming []route
	for path, item := range d.spec.Paths.Map() {
		for method, operation := range item.Operations() {
			if streams, _ := operation.Extensions["x-streams"].(bool); streams {
				streaming = append(streaming, route{method, d.Base() + path})
			}
		}
	}
	return func(r *http.Request) bool {
		for _, route := range streaming {
			if route.matches(r.Method, r.URL.Path) {
				return true
			}
		}
		return false
	}
}

// route is a method and a path of the document, with {variables} for which any one segment stands.
type route struct{ method, path string }

func (o route) matches(method, path string) bool {
	// A mux serves HEAD by the handler of GET.
	if method != o.method && (method != http.MethodHead || o.method != http.MethodGet) {
		return false
	}
	for pattern := o.path; ; {
		want, patternRest, more := strings.Cut(pattern, "/")
		got, pathRest, moreGiven := strings.Cut(path, "/")
		if more != moreGiven || want != got && (!strings.HasPrefix(want, "{") || got == "") {
			return false
		}
		if !more {
			return true
		}
		pattern, path = patternRest, pathRest
	}
}
