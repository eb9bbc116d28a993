package server

import (
	"net/http"
	"strings"

	"github.com/rs/cors"
)

// preflightMaxAge is how long a browser may reuse the answer to a preflight, in seconds. Every request still needs a
// token that names its origin.
const preflightMaxAge = 600

// crossOrigin answers CORS (WHATWG Fetch, "HTTP-CORS protocol") on the API's addresses below path: pages of the origins
// that allows reports may call it, by a token. A preflight carries no token, so these are the origins of all tokens;
// the gate then checks a request's origin against its own token.
//
// No answer allows credentials (Access-Control-Allow-Credentials): a page of another origin cannot use a cookie. Errors
// carry the headers too: without them, a page could not read why it is refused.
//
// Of the libraries, rs/cors fits because it asks a function about each origin. jub0bs/cors compiles a list of origins,
// and one that it does not accept makes it refuse the whole list.
func crossOrigin(path string, allows func(origin string) bool, next http.Handler) http.Handler {
	answered := cors.New(cors.Options{
		AllowOriginFunc: allows,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
			http.MethodDelete},
		AllowedHeaders: []string{"Accept", "Accept-Language", "Authorization", "Cache-Control", "Content-Type",
			"Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "Traceparent", "Tracestate", "X-Requested-With"},
		ExposedHeaders: []string{"Accept-Patch", "Allow", "ETag", "Idempotent-Replayed", "Itemcast-Change-Cursor", "Link",
			"Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"},
		MaxAge: preflightMaxAge,
	}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(strings.TrimPrefix(r.URL.Path, path)) && len(r.Header["Origin"]) <= 1 { // no browser sends two
			answered.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isAPI reports whether an address is of an API, and not of a page that people sign in to.
func isAPI(path string) bool {
	return strings.HasPrefix(path, "/api/") || path == "/graphql" || strings.HasPrefix(path, "/graphql/")
}
