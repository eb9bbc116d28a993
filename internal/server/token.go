package server

import (
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/bearer"
)

// withTokens makes every request with an access token look alike before anything else sees it. It moves the parameter
// access_token to the header Authorization, so that the secret gets into no log, page or URL of an answer; and it
// removes the cookies of a request with a token, so that they cannot give it more rights.
func withTokens(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secrets, rest := cutSecrets(r.URL.RawQuery)
		if len(secrets) == 0 && (r.Header["Cookie"] == nil || !bearer.In(r.Header)) {
			next.ServeHTTP(w, r)
			return
		}
		clean := r.Clone(r.Context())
		clean.Header.Del("Cookie")
		if len(secrets) > 0 {
			for _, secret := range secrets {
				clean.Header.Add("Authorization", bearer.Authorization(secret))
			}
			clean.URL.RawQuery = rest
			clean.RequestURI = clean.URL.RequestURI()
			w = &secretWriter{ResponseWriter: w}
		}
		next.ServeHTTP(w, clean)
	})
}

// cutSecrets removes the parameters access_token from a query.
func cutSecrets(query string) (secrets []string, rest string) {
	if query == "" || !hasSecret(query) {
		return nil, query
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if !namesSecret(pair) {
			kept = append(kept, pair)
			continue
		}
		_, value, _ := strings.Cut(pair, "=")
		secret, _ := url.QueryUnescape(value) // what is malformed is no secret of ours
		secrets = append(secrets, secret)
	}
	return secrets, strings.Join(kept, "&")
}

func hasSecret(query string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		if namesSecret(pair) {
			return true
		}
	}
	return false
}

// namesSecret reports whether a pair of a query is the parameter access_token.
func namesSecret(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	if strings.Contains(name, "%") {
		name, _ = url.QueryUnescape(name)
	}
	return name == bearer.Parameter
}

// secretWriter answers a request that had its secret in its URL: nobody may store the answer under that URL, or send
// the URL on as a Referer (RFC 6750 §5.3).
type secretWriter struct {
	http.ResponseWriter
	begun bool
}

func (w *secretWriter) begin() {
	if !w.begun {
		w.begun = true
		w.Header()["Cache-Control"] = noStore
		w.Header().Set("Referrer-Policy", "no-referrer")
	}
}

func (w *secretWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.begin()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *secretWriter) Write(p []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(p)
}

// Flush is for streams.
func (w *secretWriter) Flush() {
	w.begin()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // fails where a test has no connection
}

// Unwrap is for http.ResponseController.
func (w *secretWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
