package server

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/bearer"
	"itemcast/internal/problem"
)

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

// checkOrigin refuses a page that may not use an access token. A browser names the page's origin, except in a GET from
// a page of this server. Error: ORIGIN_NOT_ALLOWED.
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
	if len(r.Header["Origin"]) > 1 { // no browser sends two
		return "null", false
	}
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
	held, isHeld := r.Context().Value(spentKey{}).(*spent)
	if isHeld && held.isCounted {
		setRateLimit(w.Header(), held.quota)
		return nil
	}
	quota, err := g.signIn.Spend(r.Context(), actor)
	if isHeld {
		*held = spent{isCounted: err == nil, quota: quota}
	}
	setRateLimit(w.Header(), quota)
	return err
}

// spent is what the attempts of a held request have spent so far.
type spent struct {
	isCounted bool
	quota     signin.Quota // of the attempt that was counted
}

type spentKey struct{}

// spendingOnce makes the attempts of a held request count as one request. wants reports whether a request may be held.
func spendingOnce(wants func(*http.Request) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wants(r) && bearer.In(r.Header) {
			r = r.WithContext(context.WithValue(r.Context(), spentKey{}, new(spent)))
		}
		next.ServeHTTP(w, r)
	})
}

func setRateLimit(header http.Header, quota signin.Quota) {
	seconds := int((quota.More + time.Second - 1) / time.Second)
	values := []string{
		`"token";q=` + strconv.Itoa(quota.PerMinute) + `;w=60`,
		`"token";r=` + strconv.Itoa(quota.Remaining) + `;t=` + strconv.Itoa(seconds),
	}
	header["Ratelimit-Policy"], header["Ratelimit"] = values[:1:1], values[1:]
}
