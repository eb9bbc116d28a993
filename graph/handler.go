package graph

import (
	"context"
	"fmt"
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
)

// cachedQueries is the number of parsed queries, and of persisted ones, that stay in memory.
const cachedQueries = 200

// Handler serves the GraphQL API by the transports of package transport. A request's context carries the actor.
type Handler struct {
	http.Handler
	Schema     http.Handler // the schema as one file
	transports *transport.Server
}

// NewHandler makes the handler over the services. The resolver's hub serves the transports.
func NewHandler(r *Resolver, c transport.Config) *Handler {
	c.Hub = r.Hub
	transports := transport.NewServer(c)
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
