package transport

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/99designs/gqlgen/graphql"

	"itemcast/internal/account"
	"itemcast/internal/live"
)

// maxBody limits a request's body, and a message on a WebSocket, in bytes.
const maxBody = 1 << 20

// Config is what the transports need.
type Config struct {
	Hub *live.Hub
	// SignIn verifies the credentials in a request's header (Authorization, else Cookie) and returns a context with
	// their actor. It needs the request's host and headers only.
	SignIn func(ctx context.Context, r *http.Request) (context.Context, error)
	// Spend counts an operation on a WebSocket against the limit of the access token that its client came with. Error:
	// TOO_MANY_REQUESTS.
	Spend func(ctx context.Context) error
	// Watch calls changed when an actor's permissions change.
	Watch func(actor account.Actor, changed func(error)) (stop func())
	// PublicURL is the origin whose pages may open WebSockets, beside pages of the request's own host.
	PublicURL string
	// AllowsOrigin reports whether pages of another origin may open WebSockets too. Their cookies are ignored.
	AllowsOrigin func(origin string) bool
	Log          *slog.Logger
}

// Server holds the state that the transports of one handler share.
type Server struct {
	Config
	sockets sockets
}

// NewServer returns the transports of one handler.
func NewServer(c Config) *Server {
	return &Server{Config: c, sockets: sockets{open: map[*socket]struct{}{}}}
}

// Transports returns the transports. The first that supports a request serves it; the last supports every request.
func (s *Server) Transports() []graphql.Transport {
	return []graphql.Transport{webSocket{s}, eventStream{s}, plain{s}}
}

// Drain accepts no more WebSockets and makes the clients of open ones reconnect, after their queries and mutations have
// been answered. It returns when all are closed, or with the context's error.
func (s *Server) Drain(ctx context.Context) error { return s.sockets.drain(ctx) }
