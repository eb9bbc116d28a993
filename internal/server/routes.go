// Package server has the routes of the server, each with its access class, and the middleware of all requests. The
// operations of the contract are mounted as one route, /api/v1/; package core registers each of them.
//
// It must not know what a handler does.
package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"itemcast/graph/transport"
	"itemcast/internal/accept"
	"itemcast/internal/bearer"
	"itemcast/internal/browse"
	"itemcast/internal/contract"
	"itemcast/internal/live/sse"
	"itemcast/internal/media"
	"itemcast/internal/media/player"
	"itemcast/internal/problem"
	"itemcast/internal/publicurl"
	"itemcast/internal/rest/core"
	"itemcast/internal/rest/file"
	"itemcast/internal/rest/tus"
	"itemcast/internal/web"
)

// Handlers holds the handlers to mount, and what the middleware needs.
type Handlers struct {
	API            *core.API
	Contract       *contract.Document
	Problems       *contract.Problems
	Pages          *browse.Pages
	Services       web.Services // of the pages for people who are signed in
	Media          *media.Service
	Player         *player.Service
	GraphQL        http.Handler
	GraphQLSchema  http.Handler
	Idempotency    func(http.Handler) http.Handler
	Uploads        http.Handler // of an upload with a ticket
	Resumable      http.Handler // of resumable uploads
	SignIn         Browsers
	Gate           *Gate
	AllowsOrigin   func(string) bool // of a page that may call the API, by an access token
	TrustedProxies []netip.Prefix    // whose X-Forwarded-For is trusted
	PublicURL      string
}

// Routes returns the handler of the public server.
func Routes(h Handlers) http.Handler {
	mux := site{http.NewServeMux(), publicurl.Path(h.PublicURL)}
	streams := h.Contract.Streams()

	// Anyone.
	pages := signInPages(h.Gate, h.SignIn)
	mux.Handle("GET /{$}", web.Home(h.PublicURL, pages.User))
	mux.Handle("/login", web.Login(h.PublicURL, pages))
	mux.Handle("/logout", web.Logout(h.PublicURL, pages))
	mux.Handle("/reset", web.Reset(h.PublicURL, pages))
	mux.Handle("GET /assets/", http.StripPrefix(mux.path, web.Assets()))
	mux.HandleFunc("GET /api/v1/openapi.json", h.Contract.ServeJSON)
	mux.HandleFunc("GET /api/v1/openapi.yaml", h.Contract.ServeYAML)

	// People with api.access. Without a session, they are led to /login. Each page calls services, which need more.
	people := web.NewPages(web.Config{Services: h.Services, PublicURL: h.PublicURL, Admit: h.Gate.Admit,
		Receive: h.API.Receive, Explain: h.Problems.Explain})
	mux.Handle("/items", people.Items())
	mux.Handle("/items/rows", people.ItemRows())
	mux.Handle("/items/new", people.ItemNew())
	mux.Handle("/items/confirm", people.ItemsConfirm())
	mux.Handle("/items/{id}", people.Item())
	mux.Handle("/items/{id}/files", people.ItemFiles())
	mux.Handle("/items/{id}/pictures", people.ItemPictures())
	mux.Handle("/workflows", people.WorkflowRuns())
	mux.Handle("/live", people.Live())
	mux.Handle("/api", people.API())
	mux.Handle("/hooks/{id}", people.Hook())
	mux.Handle("/deliveries/{id}", people.Delivery())

	// Anyone who may see the item: everybody, if it is public or unlisted, or with a signed link. Its files, the page that
	// plays it, the same for frames of other sites, and streams that tell when the page changes.
	files := file.Handler{Media: h.Media, Problems: h.Problems, Identify: h.Gate.visit}
	mux.Handle("/media/{asset}/{name...}", files)
	mux.Handle("/media/s/{signature}/{asset}/{name...}", files)
	watch := web.NewWatch(h.PublicURL, web.Player{Shows: h.Player, Identify: h.Gate.visit, Fail: h.Problems.Write})
	mux.Handle("/watch/{id}", watch.Page)
	mux.Handle("/watch/s/{signature}/{id}", watch.Page)
	mux.Handle("/embed/{id}", watch.Embed)
	mux.Handle("/embed/s/{signature}/{id}", watch.Embed)
	mux.Handle("/watch/{id}/events", held(watch.Events))
	mux.Handle("/watch/s/{signature}/{id}/events", held(watch.Events))

	// Users with api.access. Each operation also needs its own permission. Browsers see each operation as a page.
	api := held(h.Pages.Around(h.Gate.Admit, withoutDeadlines(streams, operations(h))))
	mux.Handle("/api/v1/", api)
	mux.Handle("/api/v1", withSlash(api))

	// Anyone with an upload ticket. Cookies and other credentials have no effect.
	mux.Handle("POST /api/v1/uploads", uploads(h))

	// Resumable uploads begin with a ticket, or with a user. Then the URL of an upload is the key to it, and cookies and
	// other credentials have no effect.
	mux.Handle(tus.Path, h.Resumable)

	// Anyone gets the page; operations are for users. A WebSocket signs in by its first message, with the credentials
	// of that or of its handshake: after a refused handshake, clients do not know whether to try again.
	graphQL := held(signedIn(h.Gate, transport.Refuse, h.GraphQL))
	mux.Handle("/graphql", byKind(web.Playground(h.PublicURL), graphQL, h.GraphQL))
	mux.Handle("GET /graphql/schema.graphql", signedIn(h.Gate, transport.Refuse, h.GraphQLSchema)) // as introspection

	notFound := h.Problems.NotFound(mux.ServeMux)
	mux.Handle("/api/v1/openapi.json", notFound) // with another method
	mux.Handle("/api/v1/openapi.yaml", notFound)
	mux.Handle("/", notFound)
	// The GraphQL handler bounds its own operations; a file takes as long as its client reads.
	unbounded := func(r *http.Request) bool {
		return streams(r) || r.URL.Path == mux.path+"/graphql" || strings.HasPrefix(r.URL.Path, mux.path+"/media/") ||
			strings.HasPrefix(r.URL.Path, mux.path+tus.Path) ||
			strings.HasPrefix(r.URL.Path, mux.path+"/watch/") || isFileForm(mux.path, r)
	}
	upload := isUpload(mux.path)
	takesTokens := func(r *http.Request) bool { return isAPI(strings.TrimPrefix(r.URL.Path, mux.path)) }
	secured := secure(h, takesTokens, upload, withAddress(h.TrustedProxies, h.Problems.Canonical(mux.path+"/api/", mux)))
	return withTokens(restored(mux.path, withoutCredentials(upload, h.Pages.Problems(pages.User, h.Problems.Recover(
		withDeadlines(ordinary, unbounded,
			uploadPreflights(upload, secured, resumableOrigins(mux.path, secured,
				crossOrigin(mux.path, h.AllowsOrigin, secured)))))))))
}

// operations serves every operation of openapi/core.yaml. Each request is checked against the contract first.
func operations(h Handlers) http.Handler {
	mux := http.NewServeMux()
	h.API.Register(mux, h.Contract, h.Idempotency)
	h.Pages.Describe(mux)
	mux.Handle("POST "+h.Contract.Base()+uploadsPath, h.Uploads) // never gets here, but answers of 405 name the method
	h.Contract.RefuseOtherMethods(mux, h.Problems)
	mux.Handle("/", h.Problems.NotFound(mux))
	return mux
}

// held makes new event streams wait while the server cannot answer.
func held(next http.Handler) http.Handler {
	return spendingOnce(wantsStream, sse.Hold(wantsStream, next))
}

func wantsStream(r *http.Request) bool { return accept.PrefersEventStream(r.Header["Accept"]) }

// withSlash serves /api/v1 as /api/v1/. The mux would redirect it.
func withSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		root := *r
		root.URL = &url.URL{Path: r.URL.Path + "/", RawQuery: r.URL.RawQuery}
		next.ServeHTTP(w, &root)
	})
}

// byKind separates what /graphql serves: WebSockets, the page for browsers, and operations.
func byKind(page, operation, socket http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", "GET, POST, OPTIONS")
			w.WriteHeader(http.StatusNoContent)
		case transport.LacksUpgrade(r):
			transport.RefuseLostUpgrade(w, r)
		case r.Header.Get("Upgrade") != "":
			socket.ServeHTTP(w, r)
		case (r.Method == http.MethodGet || r.Method == http.MethodHead) && accept.PrefersHTML(r.Header):
			page.ServeHTTP(w, r)
		default:
			operation.ServeHTTP(w, r)
		}
	})
}

// secure sets the headers that every response needs; pages set their own Content-Security-Policy.
//
// It rejects cross-site writes (CSRF): browsers send our cookies with other sites' forms. A request with an access
// token has no cookie (withTokens), and the Gate checks its origin. That holds where tokens are taken only: a form of
// another site must not sign a browser in, whatever credentials it has. An upload has no cookie either
// (withoutCredentials), and forms of other sites send it.
func secure(h Handlers, takesTokens, isUpload func(*http.Request) bool, next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	_ = protection.AddTrustedOrigin(publicurl.Origin(h.PublicURL)) // a proxy may not forward the Host header
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Problems.Write(w, r, problem.New(problem.Forbidden,
			"A page of another origin cannot change anything here. Send the request from this site, or without a browser."))
	}))
	protected := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		if bearer.In(r.Header) && takesTokens(r) || isUpload(r) {
			next.ServeHTTP(w, r)
			return
		}
		protected.ServeHTTP(w, r)
	})
}

// isFileForm reports whether a request is a page's form with a file for an item, which takes as long as it is sent.
func isFileForm(root string, r *http.Request) bool {
	rest, ok := strings.CutPrefix(r.URL.Path, root+"/items/")
	return ok && r.Method == http.MethodPost && (strings.HasSuffix(rest, "/files") || strings.HasSuffix(rest, "/pictures"))
}
