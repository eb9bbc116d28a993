package contract

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"itemcast/internal/problem"
)

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// NotFound answers, as problems, what nothing else on the mux matches: 405 with Allow where other methods would match, else 404.
// Register it on the mux itself, for a whole subtree: mux.Handle("/api/", contract.NotFound(mux)).
func NotFound(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := allowedMethods(mux, r)
		if len(allowed) == 0 {
			WriteProblem(w, r, errNothing(withoutSlash(mux, r)))
			return
		}
		refuseMethod(w, r, allowed)
	})
}

func refuseMethod(w http.ResponseWriter, r *http.Request, allowed []string) {
	allow := strings.Join(allowed, ", ")
	w.Header().Set("Allow", allow)
	WriteProblem(w, r, problem.New(problem.MethodNotAllowed, "This address takes %s.", allow))
}

// Canonical answers, as a problem, what a mux would redirect by a page of HTML: paths below prefix with empty segments, . or .. in them.
func Canonical(prefix string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean(r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/") && clean != "/" {
			clean += "/"
		}
		if clean != r.URL.Path && strings.HasPrefix(clean, prefix) {
			WriteProblem(w, r, errNothing(clean))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func errNothing(instead string) error {
	if instead == "" {
		return problem.New(problem.NotFound, "There is nothing at this address.")
	}
	return problem.New(problem.NotFound, "There is nothing at this address; use %s.", shorten((&url.URL{Path: instead}).EscapedPath()))
}

// withoutSlash is a request's path without the slash at its end, if that is an address; "" if not.
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

// allowedMethods are those for which the mux has something better than the pattern that has brought the request here.
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
