package contract

import "net/http"

// Streams returns a function that reports whether a request is for an operation marked x-streams. The body of such a
// request or answer lasts for as long as its client takes part, so general deadlines do not apply.
func (d *Document) Streams() func(*http.Request) bool {
	mux := http.NewServeMux()
	for path, item := range d.spec.Paths.Map() {
		for method, operation := range item.Operations() {
			if streams, _ := operation.Extensions["x-streams"].(bool); streams {
				mux.Handle(method+" "+d.Base()+path, http.NotFoundHandler())
			}
		}
	}
	return func(r *http.Request) bool {
		_, pattern := mux.Handler(r)
		return pattern != ""
	}
}
