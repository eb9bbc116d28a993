package contract

import (
	"net/http"
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
			WriteProblem(w, r, problem.New(problem.NotFound, "There is nothing at this address."))
			return
		}
		allow := strings.Join(allowed, ", ")
		w.Header().Set("Allow", allow)
		WriteProblem(w, r, problem.New(problem.MethodNotAllowed, "This address takes %s.", allow))
	})
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
