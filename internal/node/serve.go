package node

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"log/slog"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/server"
)

const (
	headerTimeout   = 10 * time.Second
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 15 * time.Second
	streamGrace     = time.Second // before a shutdown ends event streams, which do not end by themselves
)

// ServeConfig holds the settings of a server.
type ServeConfig struct {
	Config
	Database      DatabaseConfig
	Addr          string
	OpsAddr       string        // empty: no operators' listener
	AdminEmail    string        // of the administrator that the first start creates
	AdminPassword string        // empty: a random one
	Ready         func(Started) // called when the server accepts requests
}

// Started describes a server that accepts requests.
type Started struct {
	Addr      string // as configured; a port 0 is replaced by the port that the system chose
	PublicURL string
	First     *account.FirstStart // nil unless this is the first start on the database
}

// Serve runs a server until ctx ends or a part fails. When ctx ends, it finishes the requests in progress. Without a
// public URL, the base of URLs is http:// and the address.
func Serve(ctx context.Context, config ServeConfig) error {
	public, ops, err := config.listen()
	if err != nil {
		return err
	}
	defer public.Close()
	if ops != nil {
		defer ops.Close()
	}
	started := Started{Addr: actualAddr(config.Addr, public), PublicURL: config.PublicURL}
	if started.PublicURL == "" {
		started.PublicURL = "http://" + Reachable(started.Addr)
		config.PublicURL = started.PublicURL
	}
	database, err := OpenDatabase(ctx, config.Database)
	if err != nil {
		return err
	}
	defer database.Close()
	if err := StorePublicURL(ctx, database.Pool, config.PublicURL); err != nil {
		return err
	}
	n, err := New(ctx, database.Pool, config.Config)
	if err != nil {
		return err
	}
	defer n.Close()
	n.reportProcessing()
	// As late as possible: a password that is generated here is printed once, by Ready.
	started.First, err = account.Ensure(ctx, database.Pool, config.AdminEmail, config.AdminPassword)
	if err != nil {
		return err
	}
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.Run(background) })
	group.Go(func() error { return database.watch(ctx) })
	group.Go(func() error {
		defer stopBackground()
		return n.Serve(ctx, n.Handler(), public, ops)
	})
	config.Ready(started)
	return group.Wait()
}

var errShutdown = problem.New(problem.Unavailable, "The server is shutting down; try again in a moment.")

// Serve answers requests until ctx ends, then finishes those in progress. ops is the operators' listener; nil: none.
// End Run only after Serve has returned.
func (n *Node) Serve(ctx context.Context, handler *Handler, public, ops net.Listener) error {
	requests, endRequests := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endRequests(nil)
	errorLog := slog.NewLogLogger(n.config.Log.Handler(), slog.LevelWarn)
	servers, listeners := []*http.Server{{
		Handler:           handler,
		ErrorLog:          errorLog,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		BaseContext:       func(net.Listener) context.Context { return requests },
	}}, []net.Listener{public}
	if ops != nil {
		servers = append(servers, &http.Server{Handler: n.ops(), ErrorLog: errorLog, ReadHeaderTimeout: headerTimeout})
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
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		streams := time.AfterFunc(streamGrace, func() { endRequests(errShutdown) })
		defer streams.Stop()
		sockets := make(chan error, 1)
		go func() { sockets <- handler.Drain(limit) }()
		var errs error
		for _, server := range servers {
			errs = errors.Join(errs, server.Shutdown(limit))
		}
		return errors.Join(errs, <-sockets)
	})
	return group.Wait()
}

func (n *Node) ops() http.Handler {
	head := func() int64 { return int64(n.Feed.Head()) }
	return server.Ops(n.pool, n.faults, head, n.Dispatcher, n.Hub, n.pruner, n.SignIn, n.workflows, n.Media, n.uploads)
}
