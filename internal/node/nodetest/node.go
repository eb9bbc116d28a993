// Package nodetest starts whole nodes, and the command as a process, for the tests of any package that knows the edges.
//
// A Client calls a node as one user and holds every REST response against the contract. Packages of nouns must not import it:
// a change in an edge would rerun their tests.
package nodetest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/hook/egress"
	"itemcast/internal/node"
)

// served is a node at a listener, served and stopped as the command does it.
func Serve(t *testing.T, pool *pgxpool.Pool, listener net.Listener) (n *Node, stop func()) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if _, err := account.Ensure(t.Context(), pool, AdminEmail, AdminPassword); err != nil {
		t.Fatal(err)
	}
	publicURL := "http://" + listener.Addr().String()
	wired, err := node.New(t.Context(), pool, node.Config{PublicURL: publicURL, ConnectionsPerUser: MaxConnections, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	background, stopBackground := context.WithCancel(context.Background())
	serving, stopServing := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- wired.Run(background) }()
	go func() {
		defer stopBackground()
		ended <- wired.ServeOn(serving, listener, "")
	}()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		stopServing()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Errorf("the node ended with %v", err)
		}
		wired.Close()
	}
	t.Cleanup(stop)
	return &Node{Client: Connect(t, publicURL), Node: wired, Pool: pool}, stop
}

func Listen(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

const (
	AdminEmail    = "admin@example.com"
	AdminPassword = "a password for tests"
	Timeout       = 20 * time.Second

	MaxConnections = 1000
)

// testNode is a whole node, wired as serve wires it, over a database of its own. Its client holds every REST response against the contract.
type Node struct {
	*Client
	*node.Node
	Pool *pgxpool.Pool
}

func Start(t *testing.T) *Node {
	t.Helper()
	return StartOn(t, dbtest.New(t))
}

func StartOn(t *testing.T, pool *pgxpool.Pool) *Node {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := account.Ensure(ctx, pool, AdminEmail, AdminPassword); err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewUnstartedServer(nil)
	url := "http://" + listener.Listener.Addr().String()
	n, err := node.New(ctx, pool, node.Config{PublicURL: url, ConnectionsPerUser: MaxConnections, Log: log,
		HookReach: egress.Policy{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	if err != nil {
		t.Fatal(err)
	}
	listener.Config.Handler = n.Handler()
	listener.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	listener.Start()
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		listener.Close()
		defer n.Close()
		if err := <-done; err != nil {
			t.Errorf("the node ended with %v", err)
		}
	})
	return &Node{Client: Connect(t, url), Node: n, Pool: pool}
}

// openPool opens another pool on a test database, as another node would.
func OpenPool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimRight(p, "\n"))
	return len(p), nil
}
