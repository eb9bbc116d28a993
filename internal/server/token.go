package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/bearer"
	"itemcast/internal/problem"
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

// authorizationOf returns the header Authorization; "" for none. Error: BAD_REQUEST for two different ones.
func authorizationOf(header http.Header) (string, error) {
	values := header["Authorization"]
	if len(values) == 0 {
		return "", nil
	}
	for _, other := range values[1:] {
		if !sameCredentials(other, values[0]) {
			return "", problem.New(problem.BadRequest,
				"The request has two different credentials. Send one: a password, or an access token.")
		}
	}
	return values[0], nil
}

func sameCredentials(a, b string) bool {
	secretA, bearerA := bearer.Secret(a)
	secretB, bearerB := bearer.Secret(b)
	return a == b || bearerA && bearerB && secretA == secretB
}

// checkOrigin refuses a page that may not use an access token. A browser names the page's origin, except in a GET from a
// page of this server. Error: ORIGIN_NOT_ALLOWED.
func (g *Gate) checkOrigin(r *http.Request, token *account.Token) error {
	origin, own := g.originOf(r)
	switch {
	case len(token.Origins) == 0 && (own || origin == ""), slices.Contains(token.Origins, origin),
		own && slices.Contains(token.Origins, g.origin):
		return nil
	case origin == "":
		return problem.New(problem.OriginNotAllowed,
			"The access token is for the pages of certain origins. Send the header Origin, or use a token without origins.")
	}
	return problem.New(problem.OriginNotAllowed,
		"The access token is not for pages of this origin. Ask its creator to add the origin to its origins.")
}

// originOf returns the origin of the page that sent a request, "" for a client that is no browser, and whether it is
// the server's own.
func (g *Gate) originOf(r *http.Request) (origin string, own bool) {
	if origin = r.Header.Get("Origin"); origin != "" {
		_, host, _ := strings.Cut(origin, "://")
		return origin, origin == g.origin || host == r.Host
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return g.origin, true
	case "same-site", "cross-site": // the browser hides the origin, as of an image
		return "null", false
	}
	return "", false
}

// Spend counts an operation on an open connection against the limit of the access token of ctx's actor, if it came with
// one. Error: TOO_MANY_REQUESTS.
func (g *Gate) Spend(ctx context.Context) error {
	actor, _ := account.ActorFrom(ctx)
	if actor.Token == nil {
		return nil
	}
	_, err := g.signIn.Spend(ctx, actor)
	return err
}

// spend counts a request against the limit of its access token, and tells the client what is left of it
// (draft-ietf-httpapi-ratelimit-headers-10). Error: TOO_MANY_REQUESTS.
func (g *Gate) spend(w http.ResponseWriter, r *http.Request) error {
	actor, _ := account.ActorFrom(r.Context())
	if actor.Token == nil {
		return nil
	}
	quota, err := g.signIn.Spend(r.Context(), actor)
	setRateLimit(w.Header(), quota)
	return err
}

func setRateLimit(header http.Header, quota signin.Quota) {
	seconds := int((quota.More + time.Second - 1) / time.Second)
	values := []string{
		`"token";q=` + strconv.Itoa(quota.PerMinute) + `;w=60`,
		`"token";r=` + strconv.Itoa(quota.Remaining) + `;t=` + strconv.Itoa(seconds),
	}
	header["Ratelimit-Policy"], header["Ratelimit"] = values[:1:1], values[1:]
}
