package contract

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"itemcast/internal/problem"
)

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodOptions,
}

// NotFound answers requests that nothing else on the mux matches: with 405 and Allow if the address takes other
// methods, else with 404. Register it on the mux itself, for a whole subtree: mux.Handle("/api/",
// problems.NotFound(mux)).
func (p *Problems) NotFound(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := allowedMethods(mux, r)
		if len(allowed) == 0 {
			p.Write(w, r, errNothing(withoutSlash(mux, r)))
			return
		}
		p.refuseMethod(w, r, allowed)
	})
}

func (p *Problems) refuseMethod(w http.ResponseWriter, r *http.Request, allowed []string) {
	allow := strings.Join(allowed, ", ")
	w.Header().Set("Allow", allow)
	p.Write(w, r, problem.New(problem.MethodNotAllowed, "This address takes %s.", allow))
}

// Canonical answers paths below prefix that have empty segments, "." or ".." with 404. A mux would redirect them, with
// a page of HTML.
func (p *Problems) Canonical(prefix string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean(r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/") && clean != "/" {
			clean += "/"
		}
		if clean != r.URL.Path && strings.HasPrefix(clean, prefix) {
			p.Write(w, r, errNothing(clean))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// RefuseOtherMethods answers methods that a path without variables, such as /items/import, does not take with 405. The
// mux would take import for the id of an item. Call it after all operations are registered.
func (d *Document) RefuseOtherMethods(mux *http.ServeMux, problems *Problems) {
	for path, item := range d.spec.Paths.Map() {
		if strings.Contains(path, "{") {
			continue
		}
		var allowed, others []string
		for _, method := range methods {
			probe := &http.Request{Method: method, URL: &url.URL{Path: d.Base() + path}}
			_, pattern := mux.Handler(probe)
			matchesVariable := strings.Contains(strings.TrimSuffix(pattern, "{$}"), "{")
			switch {
			case item.GetOperation(method) != nil, method == http.MethodHead && item.Get != nil,
				method == http.MethodOptions:
				allowed = append(allowed, method)
			case matchesVariable && method != http.MethodHead: // the mux treats HEAD as GET
				others = append(others, method)
			}
		}
		for _, method := range others {
			mux.HandleFunc(method+" "+d.Base()+path, func(w http.ResponseWriter, r *http.Request) {
				problems.refuseMethod(w, r, allowed)
			})
		}
	}
}

func errNothing(instead string) error {
	if instead == "" {
		return problem.New(problem.NotFound, "There is nothing at this address.")
	}
	return problem.New(problem.NotFound, "There is nothing at this address; use %s.",
		shorten((&url.URL{Path: instead}).EscapedPath()))
}

// withoutSlash returns a request's path without its last slash if that is an address, else "".
func withoutSlash(mux *http.ServeMux, r *http.Request) string {
	trimmed, ok := strings.CutSuffix(r.URL.Path, "/")
	if !ok || trimmed == "" {
		return ""
	}
	probe := new(http.Request)
	*probe = *r
	probe.URL = &url.URL{Path: trimmed}
	if len(allowedMethods(mux, probe)) == 0 {
		return ""
	}
	return trimmed
}

// allowedMethods returns the methods for which the mux has another pattern than the one that matched the request.
func allowedMethods(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	probe := new(http.Request)
	*probe = *r
	for _, method := range methods {
		probe.Method = method
		if _, pattern := mux.Handler(probe); pattern != "" && pattern != r.Pattern {
			allowed = append(allowed, method)
		}
	}
	return allowed
}
