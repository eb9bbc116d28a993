package graph

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/graph/internal/exec"
	"itemcast/graph/internal/model"
	"itemcast/internal/account"
	"itemcast/internal/live"
	"itemcast/internal/problem"
)

// Limits on one operation. They are generous for people's queries and cheap to reach for an attack.
const (
	maxTokens     = 2_000
	maxFields     = 10_000   // with every fragment spread
	maxQuery      = 32 << 10 // bytes
	maxDepth      = 12
	maxComplexity = 20_000
	maxBody       = 1 << 20 // bytes
	queryCache    = 200
)

// Config is what the handler needs beside the services.
type Config struct {
	// SignIn verifies the credentials in a request's header (Authorization, or else Cookie), and returns a context in which their user acts.
	SignIn func(ctx context.Context, header http.Header) (context.Context, error)
	// Watch calls changed when an actor may do other things than before (account.SignIn.Watch).
	Watch     func(actor account.Actor, changed func(error)) (stop func())
	PublicURL string // whose pages may open WebSockets, beside those of the address that they are opened to
	Log       *slog.Logger
}

// Handler serves the GraphQL API over HTTP, server-sent events (graphql-sse, distinct connections mode) and WebSocket
// (graphql-transport-ws). A request's context carries the actor.
type Handler struct {
	hub     *live.Hub
	config  Config
	gqlgen  *handler.Server
	sockets sockets
}

// NewHandler makes the handler over the services.
func NewHandler(r *Resolver, c Config) *Handler {
	h := &Handler{hub: r.Hub, config: c, sockets: sockets{open: map[*socket]struct{}{}}}
	server := handler.New(exec.NewExecutableSchema(exec.Config{Resolvers: r, Complexity: complexity()}))
	server.AddTransport(webSocket{h})
	server.AddTransport(eventStream{h})
	server.AddTransport(plain{h})
	server.SetQueryCache(lru.New[*ast.QueryDocument](queryCache))
	server.SetParserTokenLimit(maxTokens)
	server.Use(extension.Introspection{})
	server.Use(queryLimit(maxQuery))
	server.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](queryCache)})
	server.Use(sizeLimit{fields: maxFields, depth: maxDepth}) // before the complexity, which spreads fragments wherever they stand
	server.Use(extension.FixedComplexityLimit(maxComplexity))
	server.Use(oneStream{})
	server.AroundResponses(r.withLoaders)
	server.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error { return presentLogged(ctx, c.Log, err) })
	server.SetRecoverFunc(func(_ context.Context, cause any) error {
		c.Log.Error("a resolver panicked", "cause", cause, "stack", string(debug.Stack()))
		return problem.New(problem.Internal, "Something went wrong on our side; it is logged.")
	})
	h.gqlgen = server
	return h
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.gqlgen.ServeHTTP(w, r) }

// scanCost is the complexity of a field that costs Postgres as much as that many plain ones.
const scanCost = 500

// statementCost is the complexity of a field that takes a statement of its own.
const statementCost = 100

// hashCost is the complexity of a field for which a password is hashed.
const hashCost = 4_000

// complexity counts a list as many times its elements as were asked for.
func complexity() (root exec.ComplexityRoot) {
	root.Query.Items = func(child int, _ *itemFilter, _ itemSort, first *int64, _ *string, last *int64, _ *string) int {
		n := int64(defaultPage)
		if first != nil {
			n = *first
		} else if last != nil {
			n = *last
		}
		return 1 + child*clamp(n)
	}
	root.Item.History = func(child int, first int64, _ *string) int { return 1 + child*clamp(first) }
	// These read a whole table.
	root.Query.Tags = func(child int) int { return scanCost + child }
	root.Query.MetadataFields = func(child int) int { return scanCost + child }
	root.ItemConnection.TotalCount = func(child int) int { return scanCost/defaultPage + child } // counted with each item of the page
	root.Query.Deliveries = func(child int, _, _ *uuid.UUID, _ *model.DeliveryState, _, _ *time.Time, first int64, _ *string) int {
		return 1 + child*clamp(first)
	}
	// These cost a statement for each element of a list.
	root.Hook.Deliveries = func(child int, _ *uuid.UUID, _ *model.DeliveryState, _, _ *time.Time, first int64, _ *string) int {
		return statementCost + child*clamp(first)
	}
	root.Hook.Replay = func(child int) int { return statementCost + child }
	root.Delivery.Attempts = func(child int) int { return statementCost + child }
	oneWay := func(child int, first int64, _ *string) int { return 1 + child*clamp(first) }
	root.Query.Hooks, root.Query.Roles, root.Query.WorkflowProfiles = oneWay, oneWay, oneWay
	root.Query.Users = func(child int, _ *userFilter, first int64, _ *string) int { return 1 + child*clamp(first) }
	root.Query.Audit = func(child int, _ *auditFilter, first int64, _ *string) int { return 1 + child*clamp(first) }
	// Argon2id takes some 100 ms.
	root.Mutation.CreateUser = func(child int, _ createUserInput) int { return hashCost + child }
	root.Mutation.UpdateUser = func(child int, _ uuid.UUID, _ updateUserInput, _ *int64) int { return hashCost + child }
	root.Mutation.RotatePassword = func(child int, _ uuid.UUID) int { return hashCost + child }
	root.Mutation.ChangeMyPassword = func(child int, _, _ string) int { return hashCost + child }
	return root
}

func clamp(n int64) int { return int(max(1, min(n, maxPage))) }

// present turns any error into what a client is told: the code and detail of a problem, and nothing of what lies behind.
func present(ctx context.Context, err error) *gqlerror.Error {
	out := graphql.DefaultErrorPresenter(ctx, err)
	if problem.Of(err) == nil && out.Extensions["code"] != nil { // gqlgen's own: parsing, validation, limits
		return out
	}
	if fault, ok := errors.AsType[*gqlerror.Error](err); ok && problem.Of(err) == nil && isCoercion(ctx, fault) {
		return presentCoercion(fault)
	}
	p := problem.From(err)
	out.Message = p.Detail
	out.Extensions = map[string]any{"code": p.Code}
	if len(p.Faults) > 0 {
		out.Extensions["errors"] = p.Faults
	}
	if p.Revision > 0 {
		out.Extensions["revision"] = p.Revision
	}
	return out
}

// isCoercion reports whether an error is of an argument: its path leads below the field's own, which is where gqlgen puts the errors of
// resolvers.
func isCoercion(ctx context.Context, err *gqlerror.Error) bool {
	field := graphql.GetFieldContext(ctx)
	return field != nil && len(err.Path) > len(field.Path())
}

// presentCoercion tells of a value that could not be read as its type. The texts of our own scalars say what it must be.
func presentCoercion(fault *gqlerror.Error) *gqlerror.Error {
	detail := "does not have the form of its type"
	if cause := errors.Unwrap(fault); cause != nil && strings.HasPrefix(cause.Error(), "must be ") {
		detail = cause.Error()
	}
	return &gqlerror.Error{Message: fault.Path.String() + " " + detail + ".", Path: fault.Path, Locations: fault.Locations,
		Extensions: map[string]any{"code": problem.InvalidInput}}
}

func presentLogged(ctx context.Context, log *slog.Logger, err error) *gqlerror.Error {
	out := present(ctx, err)
	if out.Extensions["code"] == problem.Internal {
		log.Error("graphql: internal error", "path", out.Path.String(), "err", err)
	}
	return out
}
