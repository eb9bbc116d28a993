package server

import (
	"context"
	"net/http"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/problem"
	"itemcast/internal/web"
)

// Browsers signs people in and out on the pages.
type Browsers interface {
	SignIn
	Open(ctx context.Context, email, password, userAgent, oldToken string) (signin.NewSession, error)
	Close(ctx context.Context, token string, everywhere bool) error
	ResetUser(ctx context.Context, token string) (email string, err error)
	Reset(ctx context.Context, token, password string) error
}

// signInPages connects the pages of package web with the sign-in. A browser is identified by its cookie.
func signInPages(g *Gate, b Browsers) web.Sessions {
	return web.Sessions{
		User: func(r *http.Request) string {
			ctx, err := g.Identify(r.Context(), &http.Request{Header: http.Header{"Cookie": r.Header["Cookie"]}})
			if err != nil {
				return ""
			}
			actor, _ := account.ActorFrom(ctx)
			return actor.Email
		},
		SignIn: func(w http.ResponseWriter, r *http.Request, email, password string) error {
			session, err := b.Open(r.Context(), email, password, r.UserAgent(), g.token(r.Header))
			if err == nil {
				g.setCookie(w, session)
			}
			return err
		},
		SignOut: func(w http.ResponseWriter, r *http.Request, everywhere bool) error {
			g.setCookie(w, signin.NewSession{})
			return b.Close(r.Context(), g.token(r.Header), everywhere)
		},
		ResetUser:     b.ResetUser,
		ResetPassword: b.Reset,
		Explain: func(err error) (int, string) {
			shown := problem.From(err)
			if len(shown.Faults) > 0 {
				return shown.Code.Status(), "The password " + shown.Faults[0].Detail + "."
			}
			return shown.Code.Status(), shown.Detail
		},
	}
}
