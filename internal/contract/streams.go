package contract

import "net/http"

// Streams returns a test for requests to the operations that the document marks x-streams: their bodies last for as long
// as their clients take part, so general deadlines do not apply to them.
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
