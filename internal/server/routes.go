// Package server is every URL on one screen, each with its access class, and what all requests pass through.
//
// It must not know what any of them does.
package server

import (
	"net/http"
	"net/netip"
	"net/url"

	"itemcast/graph/transport"
	"itemcast/internal/accept"
	"itemcast/internal/browse"
	"itemcast/internal/contract"
	"itemcast/internal/problem"
	"itemcast/internal/rest/core"
	"itemcast/internal/web"
)

// Handlers are the parts that are mounted.
type Handlers struct {
	API         *core.API
	Contract    *contract.Document
	Pages       *browse.API
	GraphQL     http.Handler
	Idempotency func(http.Handler) http.Handler
	SignIn      Browsers
	Gate        *Gate
	Proxies     []netip.Prefix // that are believed when they say whom a request comes from
	PublicURL   string
}

// Routes returns the public server's handler.
func Routes(h Handlers) http.Handler {
	mux := http.NewServeMux()

	// Anyone.
	pages := signInPages(h.Gate, h.SignIn)
	mux.Handle("GET /{$}", web.Home(h.PublicURL, pages.Who))
	mux.Handle("/login", web.Login(pages))
	mux.Handle("/logout", web.Logout(pages))
	mux.Handle("/reset", web.Reset(pages))
	mux.Handle("GET /assets/", web.Assets())
	mux.HandleFunc("GET /api/v1/openapi.json", h.Contract.ServeJSON)
	mux.HandleFunc("GET /api/v1/openapi.yaml", h.Contract.ServeYAML)

	// Signed in, with api.access; each operation asks for its own permission besides.
	// To a browser, each is a page.
	api := h.Pages.Around(func(next http.Handler) http.Handler { return signedIn(h.Gate, browse.Refuse, next) }, unhurried(operations(h)))
	mux.Handle("/api/v1/", api)
	mux.Handle("/api/v1", withSlash(api))

	// A page is for anyone; an operation is for who is signed in; a WebSocket signs in by its handshake or its first message.
	graphQL := signedIn(h.Gate, transport.Refuse, h.GraphQL)
	mux.Handle("/graphql", byKind(web.Playground(), graphQL, signedInIfGiven(h.Gate, transport.Refuse, h.GraphQL)))

	nothing := contract.NotFound(mux)
	mux.Handle("/api/v1/openapi.json", nothing) // by another method
	mux.Handle("/api/v1/openapi.yaml", nothing)
	mux.Handle("/", nothing)
	return h.Pages.Problems(pages.Who, contract.Recover(deadlines(ordinary, secure(h.PublicURL, addressed(h.Proxies, contract.Canonical("/api/", mux))))))
}

// operations is every operation of openapi/core.yaml, behind the contract.
func operations(h Handlers) http.Handler {
	mux := http.NewServeMux()
	h.API.Register(mux, h.Contract, h.Idempotency)
	h.Pages.Describe(mux)
	h.Contract.KeepLiterals(mux)
	mux.Handle("/", contract.NotFound(mux))
	return mux
}

// withSlash spares whoever asks for the root of the API without its slash the mux's redirect.
func withSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		root := *r
		root.URL = &url.URL{Path: r.URL.Path + "/", RawQuery: r.URL.RawQuery}
		next.ServeHTTP(w, &root)
	})
}

func byKind(page, operation, socket http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Upgrade") != "":
			socket.ServeHTTP(w, r)
		case (r.Method == http.MethodGet || r.Method == http.MethodHead) && accept.PrefersHTML(r.Header["Accept"]):
			page.ServeHTTP(w, r)
		default:
			operation.ServeHTTP(w, r)
		}
	})
}

// secure sets what every answer of a server that is not a web page's own wants; pages set their Content-Security-Policy themselves.
//
// A page of another origin makes no change here: a browser adds the credentials that it keeps for us to the form of whoever asks it to.
func secure(publicURL string, next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if u, err := url.Parse(publicURL); err == nil {
		_ = protection.AddTrustedOrigin(u.Scheme + "://" + u.Host) // a proxy before us may not pass on the Host
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		contract.WriteProblem(w, r, problem.New(problem.Forbidden, "A page of another origin may not change anything here."))
	}))
	next = protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
