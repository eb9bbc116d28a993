package graph

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"itemcast/graph/internal/exec"
	"itemcast/graph/jsoninput"
	"itemcast/graph/transport"
	"itemcast/internal/account"
)

// cachedQueries is the number of parsed queries, and of persisted ones, that stay in memory.
const cachedQueries = 200

// Config is what the handler needs beside the services. Its functions are those of transport.Config.
type Config struct {
	SignIn       func(ctx context.Context, r *http.Request) (context.Context, error)
	Spend        func(ctx context.Context) error
	Watch        func(actor account.Actor, changed func(error)) (stop func())
	PublicURL    string
	AllowsOrigin func(origin string) bool
	Log          *slog.Logger
}

// Handler serves the GraphQL API by the transports of package transport. A request's context carries the actor.
type Handler struct {
	http.Handler
	Schema     http.Handler // the schema as one file
	transports *transport.Server
}

// NewHandler makes the handler over the services.
func NewHandler(r *Resolver, c Config) *Handler {
	transports := transport.NewServer(transport.Config{
		Hub: r.Hub, SignIn: c.SignIn, Spend: c.Spend, Watch: c.Watch, PublicURL: c.PublicURL,
		AllowsOrigin: c.AllowsOrigin, Log: c.Log,
	})
	schema := exec.NewExecutableSchema(exec.Config{Resolvers: r, Complexity: complexity()})
	server := handler.New(schema)
	for _, t := range transports.Transports() {
		server.AddTransport(t)
	}
	server.SetQueryCache(documents{lru.New[*ast.QueryDocument](cachedQueries)})
	server.SetValidationRulesFn(func() *rules.Rules {
		all := rules.NewDefaultRules()
		all.AddRule(blockStrings.Name, blockStrings.RuleFunc)
		all.AddRule(jsoninput.Rule.Name, jsoninput.Rule.RuleFunc)
		return all
	})
	server.SetParserTokenLimit(maxTokens)
	server.Use(extension.Introspection{})
	server.Use(queryLimit(maxQuery))
	server.Use(persistedQueries{extension.AutomaticPersistedQuery{Cache: lru.New[string](cachedQueries)}})
	server.Use(sizeLimit{fields: maxFields, depth: maxDepth}) // before complexity, which expands every fragment spread
	server.Use(extension.FixedComplexityLimit(maxComplexity))
	server.Use(singleField{})
	server.Use(&jsoninput.Variables{})
	server.AroundResponses(r.withLoaders)
	server.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error {
		return transport.Present(ctx, c.Log, err)
	})
	server.SetRecoverFunc(func(_ context.Context, cause any) error {
		c.Log.Error("a resolver panicked", "error", cause, "stack", string(debug.Stack()))
		return fmt.Errorf("a resolver panicked: %v", cause)
	})
	return &Handler{Handler: server, Schema: serveSchema(schema.Schema()), transports: transports}
}

// Drain accepts no more WebSockets and makes the clients of open ones reconnect, after their queries and mutations have
// been answered. It returns when all are closed, or with the context's error.
func (h *Handler) Drain(ctx context.Context) error { return h.transports.Drain(ctx) }
