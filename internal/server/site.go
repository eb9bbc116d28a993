package server

import (
	"net/http"
	"net/url"
	"strings"
)

// site is a mux for addresses below the path of the public URL.
type site struct {
	*http.ServeMux
	path string // "/hub"; "" for none
}

// Handle registers a handler for a pattern, which begins below the site's path.
func (s site) Handle(pattern string, handler http.Handler) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = "", pattern
	}
	s.ServeMux.Handle(strings.TrimPrefix(method+" "+s.path+path, " "), handler)
}

// HandleFunc is Handle for a function.
func (s site) HandleFunc(pattern string, handler http.HandlerFunc) { s.Handle(pattern, handler) }

// restored gives requests the path that clients use: a proxy may have removed the path of the public URL.
func restored(path string, next http.Handler) http.Handler {
	if path == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, whole := strings.CutPrefix(r.URL.Path, path)
		if whole && strings.HasPrefix(rest, "/") {
			next.ServeHTTP(w, r)
			return
		}
		whole = whole && rest == ""
		below := *r
		below.URL = new(url.URL)
		*below.URL = *r.URL
		switch {
		case whole:
			below.URL.Path, below.URL.RawPath = path+"/", ""
		default:
			below.URL.Path = path + r.URL.Path
			if r.URL.RawPath != "" {
				below.URL.RawPath = path + r.URL.RawPath
			}
		}
		next.ServeHTTP(w, &below)
	})
}
