package node

import (
	"context"
	"net/http"

	"itemcast/graph"
	"itemcast/graph/transport"
	"itemcast/internal/account"
	"itemcast/internal/idempotency"
	"itemcast/internal/rest/core"
	"itemcast/internal/rest/oneshot"
	"itemcast/internal/rest/tus"
	"itemcast/internal/server"
	"itemcast/internal/web"
)

// Handler answers the node's public requests.
type Handler struct {
	http.Handler
	graphQL *graph.Handler
}

// Drain ends the open WebSockets and waits for them, until ctx ends.
func (h *Handler) Drain(ctx context.Context) error { return h.graphQL.Drain(ctx) }

// Handler builds the edges over the node's services.
func (n *Node) Handler() *Handler {
	publicURL := n.config.PublicURL
	gate := server.NewGate(n.SignIn, publicURL)
	graphQL := graph.NewHandler(
		&graph.Resolver{Accounts: n.Account, SignIn: n.SignIn, Items: n.Items, Hooks: n.hooks, Tokens: n.Tokens,
			Workflows: n.workflows, Uploads: n.uploads, Attach: n.attach, Media: n.Media, Users: n.directory,
			Hub: n.Hub, Feed: n.Feed},
		transport.Config{SignIn: gate.Identify, Spend: gate.Spend, Watch: n.SignIn.Watch, PublicURL: publicURL,
			AllowsOrigin: n.SignIn.AllowsOrigin, Log: n.config.Log})
	routes := server.Routes(server.Handlers{
		API: &core.API{Account: n.Account, SignIn: n.SignIn, Items: n.Items, Hooks: n.hooks, Tokens: n.Tokens,
			Workflows: n.workflows, Uploads: n.uploads, Attach: n.attach, Media: n.Media, Hub: n.Hub,
			Cursor: n.Feed.Cursor, PublicURL: publicURL, Problems: n.problems,
			Identify: func(r *http.Request) (context.Context, error) { return gate.Identify(r.Context(), r) },
			Watch:    n.SignIn.Watch},
		Contract: n.Contract,
		Media:    n.Media,
		Player:   n.player,
		Problems: n.problems,
		Pages:    n.pages,
		Services: web.Services{Items: n.Items, Hooks: n.hooks, Tokens: n.Tokens, Workflows: n.workflows, Users: n.directory,
			Cursor: func() string { return n.Feed.Checkpoint(n.Feed.Head()) }, Recent: n.Hub.Recent},
		GraphQL:        graphQL,
		GraphQLSchema:  graphQL.Schema,
		Idempotency:    idempotency.Middleware(n.pool, n.caller, idempotency.Timeout, n.Contract.Streams(), n.problems),
		Resumable:      n.resumable(gate),
		Uploads:        &oneshot.Handler{Uploads: n.uploads, Problems: n.problems, PublicURL: publicURL},
		SignIn:         n.SignIn,
		Gate:           gate,
		AllowsOrigin:   n.SignIn.AllowsOrigin,
		TrustedProxies: n.config.TrustedProxies,
		PublicURL:      publicURL,
	})
	return &Handler{Handler: routes, graphQL: graphQL}
}

// resumable returns the edge of resumable uploads.
func (n *Node) resumable(gate *server.Gate) http.Handler {
	h, err := tus.New(tus.Config{Uploads: n.uploads, Problems: n.problems, Admit: gate.Admit,
		AllowsOrigin: n.SignIn.AllowsOrigin, PublicURL: n.config.PublicURL, Draft: n.config.UploadDrafts})
	if err != nil {
		panic(err) // the configuration of a library, which no setting changes
	}
	return h
}

// caller returns the user of a request, if that user has the permission of the request's operation.
func (n *Node) caller(r *http.Request) (idempotency.Principal, error) {
	actor, err := account.Authorize(r.Context(), account.Permission(n.Contract.Permission(r.Pattern)))
	principal := idempotency.Principal{Account: actor.AccountID, User: actor.UserID}
	if actor.Token != nil {
		principal.Token, principal.Filter = actor.Token.ID, actor.Token.Filter
	}
	return principal, err
}
