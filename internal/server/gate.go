package server

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/bearer"
	"itemcast/internal/problem"
	"itemcast/internal/publicurl"
)

// SignIn returns the user of an e-mail address and a password, of the token of a browser's session, or of the secret of
// an access token. Spend counts a request with an access token.
type SignIn interface {
	Basic(ctx context.Context, email, password string) (account.Actor, error)
	Session(ctx context.Context, token string) (account.Actor, error)
	Bearer(ctx context.Context, secret string) (account.Actor, error)
	Spend(ctx context.Context, actor account.Actor) (signin.Quota, error)
}

// Gate finds the user of a request, by HTTP Basic, by an access token or by a session. All edges use it.
type Gate struct {
	signIn SignIn
	origin string // of the public URL
	cookie string // its name
	path   string // of the cookie
	secure bool
}

// NewGate returns a Gate. If the public URL is https, browsers send the session's cookie only over https, and accept
// it only from this very host (the prefix __Host-, RFC 6265bis §4.1.3.2). If the public URL has a path, browsers send
// the cookie only below that, which the prefix would not allow.
func NewGate(s SignIn, publicURL string) *Gate {
	g := &Gate{signIn: s, origin: publicurl.Origin(publicURL),
		cookie: "itemcast_session", path: cmp.Or(publicurl.Path(publicURL), "/"),
		secure: strings.HasPrefix(publicURL, "https://")}
	switch {
	case g.secure && g.path == "/":
		g.cookie = "__Host-" + g.cookie
	case g.secure:
		g.cookie = "__Secure-" + g.cookie
	}
	return g
}

// Identify returns ctx with a request's user as its actor: the user of the header Authorization, or else of the
// session's cookie. Without either, or when the session has ended, the context has no actor. That is so even if ctx had
// one, because open connections call Identify again with the context of their request. Errors: BAD_REQUEST,
// UNAUTHENTICATED, ORIGIN_NOT_ALLOWED, TOO_MANY_REQUESTS.
func (g *Gate) Identify(ctx context.Context, r *http.Request) (context.Context, error) {
	if _, has := account.ActorFrom(ctx); has {
		ctx = account.WithoutActor(ctx)
	}
	authorization, err := authorizationOf(r.Header)
	switch {
	case err != nil:
		return nil, err
	case authorization != "":
		actor, err := g.authorized(ctx, r, authorization)
		if err != nil {
			return nil, err
		}
		return account.WithActor(ctx, actor), nil
	}
	token := g.token(r.Header)
	if token == "" {
		return ctx, nil
	}
	actor, err := g.signIn.Session(ctx, token)
	switch {
	case problem.Is(err, problem.Unauthenticated):
		return ctx, nil
	case err != nil:
		return nil, err
	}
	return account.WithActor(ctx, actor), nil
}

// authorized returns the user of the header Authorization.
func (g *Gate) authorized(ctx context.Context, r *http.Request, authorization string) (account.Actor, error) {
	if secret, ok := bearer.Secret(authorization); ok {
		actor, err := g.signIn.Bearer(ctx, secret)
		if err == nil {
			err = g.checkOrigin(r, actor.Token)
		}
		return actor, err
	}
	credentials := http.Request{Header: http.Header{"Authorization": {authorization}}}
	email, password, ok := credentials.BasicAuth()
	if !ok {
		return account.Actor{}, problem.New(problem.Unauthenticated,
			"Send an access token as Authorization: Bearer ict_…, or sign in with HTTP Basic, your e-mail address and "+
				"password.")
	}
	return g.signIn.Basic(ctx, email, password)
}

// token returns the session's token from the cookie; "" without a cookie.
func (g *Gate) token(header http.Header) string {
	if header["Cookie"] == nil {
		return ""
	}
	request := http.Request{Header: header}
	cookie, err := request.Cookie(g.cookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie stores a session in the browser. The zero session deletes the cookie.
func (g *Gate) setCookie(w http.ResponseWriter, session signin.NewSession) {
	cookie := &http.Cookie{
		Name: g.cookie, Value: session.Token, Path: g.path, Expires: session.Expires, Secure: g.secure, HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
	if session.Token == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// refuseFunc answers a refused request in the format of its API.
type refuseFunc func(http.ResponseWriter, *http.Request, error)

// Values of Cache-Control for responses to one user; handlers may replace them. Requests share the slices: do not
// modify them.
var (
	cacheForUser = []string{"private, no-cache"} // the user's own cache may store it, and revalidates it each time
	noStore      = []string{"no-store"}          // passwords, secrets and links must not be stored
)

func cacheControl(method string) []string {
	if method == http.MethodGet || method == http.MethodHead {
		return cacheForUser
	}
	return noStore
}

// Admit returns the request with its user in the context, and an error if the user may not use the API. On FORBIDDEN
// (no api.access) the context has the user too. It sets the headers of a response that is for one user only. Errors:
// as Identify; FORBIDDEN; TOO_MANY_REQUESTS when the user's access token is over its limit.
func (g *Gate) Admit(w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	w.Header()["Cache-Control"] = cacheControl(r.Method)
	ctx, err := g.Identify(r.Context(), r)
	if err == nil {
		r = r.WithContext(ctx)
		err = g.spend(w, r)
	}
	if err == nil {
		_, err = account.Authorize(ctx)
	}
	if err != nil && r.Header.Get("X-Requested-With") == "XMLHttpRequest" {
		// The challenge would make the browser open its own password dialog over the page.
		w.Header()["Www-Authenticate"] = nil
	}
	return r, err
}

// signedIn admits users with the permission api.access.
func signedIn(g *Gate, refuse refuseFunc, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		admitted, err := g.Admit(w, r)
		if err != nil {
			refuse(w, admitted, err)
			return
		}
		next.ServeHTTP(w, admitted)
	})
}
