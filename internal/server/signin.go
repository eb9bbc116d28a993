package server

import (
	"context"
	"net/http"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// SignIn verifies an e-mail address and a password.
type SignIn interface {
	Basic(ctx context.Context, email, password string) (account.Actor, error)
}

// refusal tells a client, in the form of its API, why it does not get in.
type refusal func(http.ResponseWriter, *http.Request, error)

// signedIn lets through who has signed in and has api.access.
func signedIn(s SignIn, refuse refusal, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := WithAuthorization(r.Context(), s, r.Header.Get("Authorization"))
		if err == nil {
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
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// signedInIfGiven lets everyone through; who gives credentials must give the right ones.
func signedInIfGiven(s SignIn, refuse refusal, next http.Handler) http.Handler {
	strict := signedIn(s, refuse, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			next.ServeHTTP(w, r)
			return
		}
		strict.ServeHTTP(w, r)
	})
}

// WithAuthorization returns a context in which the user of an Authorization header acts; without a header, nobody does. Error:
// UNAUTHENTICATED.
func WithAuthorization(ctx context.Context, s SignIn, authorization string) (context.Context, error) {
	if authorization == "" {
		return ctx, nil
	}
	credentials := http.Request{Header: http.Header{"Authorization": {authorization}}}
	email, password, ok := credentials.BasicAuth()
	if !ok {
		return nil, problem.New(problem.Unauthenticated, "Sign in with HTTP Basic: your e-mail address and password.")
	}
	actor, err := s.Basic(ctx, email, password)
	if err != nil {
		return nil, err
	}
	return account.WithActor(ctx, actor), nil
}
