package contract

import (
	"net/http"
	"net/url"
	"strings"
)

// KeepLiterals has an address that the document names, such as /items/import, be that by every method: where it does not take one, a mux would
// else take it for another's variable, and look for an item whose id is import. Call it when all operations are registered.
func (d *Document) KeepLiterals(mux *http.ServeMux) {
	for path, item := range d.spec.Paths.Map() {
		if strings.Contains(path, "{") {
			continue
		}
		var allowed, others []string
		for _, method := range methods {
			probe := &http.Request{Method: method, URL: &url.URL{Path: d.Base() + path}}
			_, pattern := mux.Handler(probe)
			switch {
			case item.GetOperation(method) != nil, method == http.MethodHead && item.Get != nil, method == http.MethodOptions:
				allowed = append(allowed, method)
			case strings.Contains(strings.TrimSuffix(pattern, "{$}"), "{") && method != http.MethodHead: // GET has HEAD with it
				others = append(others, method)
			}
		}
		for _, method := range others {
			mux.HandleFunc(method+" "+d.Base()+path, func(w http.ResponseWriter, r *http.Request) { refuseMethod(w, r, allowed) })
		}
	}
}
