package server

import (
	"context"
	"net/http"
	"net/url"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/problem"
)

// SignIn knows who is who: by an e-mail address and a password, or by the token of a browser's session.
type SignIn interface {
	Basic(ctx context.Context, email, password string) (account.Actor, error)
	Session(ctx context.Context, token string) (account.Actor, error)
}

// Gate is the one place where requests are told whom they come from, by HTTP Basic or a session alike.
type Gate struct {
	signIn SignIn
	cookie string // its name
	secure bool
}

// NewGate makes a Gate. Where the public URL is https, the session's cookie is sent over nothing else, and nobody but this very host sets it
// (the prefix __Host-, RFC 6265bis §4.1.3.2).
func NewGate(s SignIn, publicURL string) *Gate {
	if u, err := url.Parse(publicURL); err == nil && u.Scheme == "https" {
		return &Gate{signIn: s, cookie: "__Host-itemcast_session", secure: true}
	}
	return &Gate{signIn: s, cookie: "itemcast_session"}
}

// Identify returns a context in which the user of a request's header acts: that of Authorization, or else that of the session's cookie. Without
// either, and with a session that has ended, nobody does, whoever did in ctx: what stays open asks again by the context of its request.
// Errors: UNAUTHENTICATED, TOO_MANY_REQUESTS.
func (g *Gate) Identify(ctx context.Context, header http.Header) (context.Context, error) {
	if _, renews := account.ActorFrom(ctx); renews {
		ctx = account.WithoutActor(ctx)
	}
	if given := header.Get("Authorization"); given != "" {
		credentials := http.Request{Header: http.Header{"Authorization": {given}}}
		email, password, ok := credentials.BasicAuth()
		if !ok {
			return nil, problem.New(problem.Unauthenticated, "Sign in with HTTP Basic: your e-mail address and password.")
		}
		actor, err := g.signIn.Basic(ctx, email, password)
		if err != nil {
			return nil, err
		}
		return account.WithActor(ctx, actor), nil
	}
	token := g.token(header)
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

// token is that of the session's cookie; "" when there is none.
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

// keep has a browser keep a session, or with an empty one forget it.
func (g *Gate) keep(w http.ResponseWriter, session signin.NewSession) {
	cookie := &http.Cookie{Name: g.cookie, Value: session.Token, Path: "/", Expires: session.Expires, Secure: g.secure, HttpOnly: true,
		SameSite: http.SameSiteLaxMode}
	if session.Token == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// refusal tells a client, in the form of its API, why it does not get in.
type refusal func(http.ResponseWriter, *http.Request, error)

// What becomes of an answer that is its user's alone, unless it says so itself. The values are shared: nobody changes a header's in place.
var (
	revalidated = []string{"private, no-cache"} // the user's own cache has it, and asks each time whether it is still so
	unkept      = []string{"no-store"}          // what was done is not done again by looking; and passwords, secrets and links are told once
)

func caching(method string) []string {
	if method == http.MethodGet || method == http.MethodHead {
		return revalidated
	}
	return unkept
}

// signedIn lets through who has signed in and has api.access.
func signedIn(g *Gate, refuse refusal, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Cache-Control"] = caching(r.Method)
		ctx, err := g.Identify(r.Context(), r.Header)
		if err == nil {
			r = r.WithContext(ctx)
			_, err = account.Authorize(ctx)
		}
		if err != nil {
			if r.Header.Get("X-Requested-With") == "XMLHttpRequest" {
				// A page's script asks by its own form; the challenge would make the browser open its password box over it.
				w.Header()["Www-Authenticate"] = nil
			}
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// signedInIfGiven lets everyone through; who gives credentials must give the right ones.
func signedInIfGiven(g *Gate, refuse refusal, next http.Handler) http.Handler {
	strict := signedIn(g, refuse, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			next.ServeHTTP(w, r)
			return
		}
		strict.ServeHTTP(w, r)
	})
}
