package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"itemcast/graph"
	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/hook/egress"
	"itemcast/internal/idempotency"
	parts "itemcast/internal/node"
	"itemcast/internal/problem"
	"itemcast/internal/rest/core"
	"itemcast/internal/server"
)

const (
	headerPatience   = 10 * time.Second
	idlePatience     = 2 * time.Minute
	shutdownPatience = 15 * time.Second
)

type serveCommand struct {
	Addr               string         `help:"Where to listen." env:"ITEMCAST_ADDR" default:"127.0.0.1:8080"`
	OpsAddr            string         `help:"Where operators look: /livez /readyz /metrics /debug/pprof. Empty: nowhere." env:"ITEMCAST_OPS_ADDR" default:"127.0.0.1:8081"`
	AdminEmail         string         `help:"The administrator that the first start makes." env:"ITEMCAST_ADMIN_EMAIL" default:"admin@example.com"`
	AdminPassword      string         `help:"The administrator's password. Empty: a random one, printed once." env:"ITEMCAST_ADMIN_PASSWORD"`
	ConnectionsPerUser int            `help:"How many WebSockets and event streams a user may keep open on this node, and how many different subscriptions over them." env:"ITEMCAST_CONNECTIONS_PER_USER" default:"1000"`
	LogKeepFor         time.Duration  `help:"How long the change log keeps a change, for cursors, hooks and histories to go back to (a tenth longer at most). 0: for ever." env:"ITEMCAST_LOG_KEEP_FOR" default:"720h"`
	LogKeepSize        byteSize       `help:"How large the change log may grow, such as 20GB; its oldest changes go first. 0: without limit." env:"ITEMCAST_LOG_KEEP_SIZE" default:"0"`
	AuditKeepFor       time.Duration  `help:"How long the audit log keeps who signed in and who changed whose access. 0: for ever." env:"ITEMCAST_AUDIT_KEEP_FOR" default:"8760h"`
	TrustedProxies     []netip.Prefix `help:"Networks of proxies that are believed, in X-Forwarded-For, whom a request comes from, such as 10.0.0.0/8." env:"ITEMCAST_TRUSTED_PROXIES" placeholder:"CIDR,…"`
	HookAllowNetworks  []netip.Prefix `help:"Networks that hooks may reach although they are private, such as 127.0.0.0/8." env:"ITEMCAST_HOOK_ALLOW_NETWORKS" placeholder:"CIDR,…"`
	HookAllowPorts     egress.Ports   `help:"Ports that hooks may reach." env:"ITEMCAST_HOOK_ALLOW_PORTS" default:"80,443,1024-65535"`
}

// Validate is called by kong.
func (s *serveCommand) Validate() error {
	switch {
	case s.ConnectionsPerUser < 1:
		return errors.New("--connections-per-user (ITEMCAST_CONNECTIONS_PER_USER) must be 1 or more")
	case s.LogKeepFor < 0 || s.LogKeepFor > 0 && s.LogKeepFor < time.Hour:
		return errors.New("--log-keep-for (ITEMCAST_LOG_KEEP_FOR) must be 1h or more, or 0 for no limit")
	case s.AuditKeepFor < 0 || s.AuditKeepFor > 0 && s.AuditKeepFor < time.Hour:
		return errors.New("--audit-keep-for (ITEMCAST_AUDIT_KEEP_FOR) must be 1h or more, or 0 for no limit")
	case s.LogKeepSize > 0 && s.LogKeepSize < 100<<20:
		return errors.New("--log-keep-size (ITEMCAST_LOG_KEEP_SIZE) must be 100MiB or more, or 0 for no limit")
	}
	return nil
}

// Run serves until ctx ends, and then lets what is under way finish.
func (s *serveCommand) Run(ctx context.Context, c *console, d *database) error {
	public, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s (ITEMCAST_ADDR): %w", s.Addr, err)
	}
	defer func() { _ = public.Close() }()
	o, err := d.open(ctx, c.log, false)
	if err != nil {
		return err
	}
	defer o.close()
	first, err := account.Ensure(ctx, o.pool, s.AdminEmail, s.AdminPassword)
	if err != nil {
		return err
	}
	publicURL := d.publicURL(s.Addr)
	if err := parts.StorePublicURL(ctx, o.pool, publicURL); err != nil {
		return err
	}
	n, err := wire(ctx, o, settings{publicURL: publicURL, connectionsPerUser: s.ConnectionsPerUser, proxies: s.TrustedProxies,
		hookReach: egress.Policy{Networks: s.HookAllowNetworks, Ports: s.HookAllowPorts},
		retention: change.Retention{For: s.LogKeepFor, Bytes: int64(s.LogKeepSize)}, keepAudit: s.AuditKeepFor}, c.log)
	if err != nil {
		return err
	}
	defer n.close()
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.run(background) })
	if o.postgres != nil {
		group.Go(func() error { return watch(ctx, o) })
	}
	group.Go(func() error {
		defer stopBackground()
		return s.serve(ctx, n, public, publicURL)
	})
	s.greet(c, publicURL, first)
	return group.Wait()
}

var errShutdown = problem.New(problem.Unavailable, "The server is shutting down; try again in a moment.")

// serve answers requests until ctx ends, and then finishes those under way; the background outlives them.
func (s *serveCommand) serve(ctx context.Context, n *node, public net.Listener, publicURL string) error {
	requests, endRequests := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endRequests(nil)
	routes, graphQL := n.routes(publicURL)
	handler := &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: headerPatience,
		IdleTimeout:       idlePatience,
		BaseContext:       func(net.Listener) context.Context { return requests },
	}
	servers, listeners := []*http.Server{handler}, []net.Listener{public}
	if s.OpsAddr != "" {
		ops, err := net.Listen("tcp", s.OpsAddr)
		if err != nil {
			return fmt.Errorf("listen on %s (ITEMCAST_OPS_ADDR): %w", s.OpsAddr, err)
		}
		head := func() int64 { return int64(n.feed.Head()) }
		servers = append(servers, &http.Server{Handler: server.Ops(n.database.pool, head, n.dispatcher, n.hub, n.keeper), ReadHeaderTimeout: headerPatience})
		listeners = append(listeners, ops)
	}
	group, serving := errgroup.WithContext(ctx)
	for i := range servers {
		group.Go(func() error {
			if err := servers[i].Serve(listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	group.Go(func() error {
		<-serving.Done()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
		defer cancel()
		streams := time.AfterFunc(time.Second, func() { endRequests(errShutdown) }) // streams end only when they are told to
		defer streams.Stop()
		sockets := make(chan error, 1)
		go func() { sockets <- graphQL.Drain(patience) }()
		var errs error
		for _, server := range servers {
			errs = errors.Join(errs, server.Shutdown(patience))
		}
		return errors.Join(errs, <-sockets)
	})
	return group.Wait()
}

// routes are all that the node serves in public, and what of it has to be drained when it ends.
func (n *node) routes(publicURL string) (http.Handler, *graph.Handler) {
	gate := server.NewGate(n.signIn, publicURL)
	resolver := &graph.Resolver{Account: n.account, Items: n.items, Hooks: n.hooks, Workflows: n.workflows, Users: n.directory, Hub: n.hub, Feed: n.feed}
	graphQL := graph.NewHandler(resolver, graph.Config{SignIn: gate.Identify, Watch: n.signIn.Watch, PublicURL: publicURL, Log: n.log})
	return server.Routes(server.Handlers{
		API: &core.API{Account: n.account, Items: n.items, Hooks: n.hooks, Workflows: n.workflows, Hub: n.hub, Cursor: n.feed.Cursor, PublicURL: publicURL, Log: n.log,
			SignIn: func(r *http.Request) (context.Context, error) {
				return gate.Identify(r.Context(), r.Header)
			},
			Watch: n.signIn.Watch},
		Contract:    n.contract,
		Pages:       n.pages,
		GraphQL:     graphQL,
		Idempotency: idempotency.Middleware(n.database.pool, n.caller, idempotency.Patience),
		SignIn:      n.signIn,
		Gate:        gate,
		Proxies:     n.proxies,
		PublicURL:   publicURL,
	}), graphQL
}

// watch ends the server when its Postgres is gone for good.
func watch(ctx context.Context, o *opened) error {
	select {
	case <-ctx.Done():
		return nil
	case <-o.postgres.Done():
		return fmt.Errorf("the embedded Postgres is gone: %w", o.postgres.Err())
	}
}

// caller is who sends a request, if that user may do what it asks for.
func (n *node) caller(r *http.Request) (accountID, userID uuid.UUID, err error) {
	actor, err := account.Authorize(r.Context(), account.Permission(n.contract.Permission(r.Pattern)))
	return actor.AccountID, actor.UserID, err
}

func (d *database) publicURL(addr string) string {
	if d.PublicURL != "" {
		return strings.TrimRight(d.PublicURL, "/")
	}
	return "http://" + addr
}

func (s *serveCommand) greet(c *console, publicURL string, first *account.FirstStart) {
	_, _ = fmt.Fprintf(c.out, "\n  Itemcast is ready at %s\n\n    playground  %s/graphql\n    REST API    %s/api/v1/items\n    contract    %s/api/v1/openapi.json\n",
		publicURL, publicURL, publicURL, publicURL)
	if s.OpsAddr != "" {
		_, _ = fmt.Fprintf(c.out, "    operators   http://%s/metrics (and /livez, /readyz, /debug/pprof)\n", s.OpsAddr)
	}
	_, _ = fmt.Fprintln(c.out)
	switch {
	case first == nil:
		_, _ = fmt.Fprintf(c.out, "  Sign in with the e-mail address and password of the first start.\n")
	case first.Password == "":
		_, _ = fmt.Fprintf(c.out, "  Sign in as %s with the password of ITEMCAST_ADMIN_PASSWORD.\n", first.Email)
	default:
		_, _ = fmt.Fprintf(c.out, "  Sign in as   %s\n  Password     %s     (shown this once)\n", first.Email, first.Password)
	}
	if len(s.HookAllowNetworks) > 0 {
		_, _ = fmt.Fprintf(c.out, "  Hooks may reach the private networks %v (ITEMCAST_HOOK_ALLOW_NETWORKS).\n", s.HookAllowNetworks)
	}
	_, _ = fmt.Fprintln(c.out)
}
