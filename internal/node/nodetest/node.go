package nodetest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/hook/egress"
	"itemcast/internal/media/encode"
	"itemcast/internal/node"
)

// ConnectionsPerUser is the limit of a test's node.
const ConnectionsPerUser = 1000

// Node is a node that runs. Its Client calls it as the administrator.
type Node struct {
	*Client
	*node.Node
	Pool *pgxpool.Pool
}

// Start starts a node on a new database. It ends with the test.
func Start(t testing.TB) *Node {
	t.Helper()
	return StartOn(t, dbtest.New(t))
}

// StartOn starts a node on a migrated database. Nodes may share one.
func StartOn(t testing.TB, pool *pgxpool.Pool) *Node {
	t.Helper()
	return startOn(t, pool, folder(t))
}

// StartStoring is Start for a node that stores files at a URL.
func StartStoring(t testing.TB, storage string) *Node {
	t.Helper()
	return startOn(t, dbtest.New(t), storage)
}

// StartStoringOn is StartOn for a node that stores files at a URL. Nodes may share it.
func StartStoringOn(t testing.TB, pool *pgxpool.Pool, storage string) *Node {
	t.Helper()
	return startOn(t, pool, storage)
}

// StartAt is Start for a node with a clock of its own, which tells when resumable uploads expire.
func StartAt(t testing.TB, now func() time.Time) *Node {
	t.Helper()
	return startWith(t, dbtest.New(t), node.Config{StorageURL: folder(t), Now: now})
}

// StartWithDrafts is Start for a node whose resumable uploads also speak the IETF's drafts.
func StartWithDrafts(t testing.TB) *Node {
	t.Helper()
	return startWith(t, dbtest.New(t), node.Config{StorageURL: folder(t), UploadDrafts: true})
}

// folder returns the URL of a storage that ends with the test.
func folder(t testing.TB) string { return "file://" + t.TempDir() }

func startOn(t testing.TB, pool *pgxpool.Pool, storage string) *Node {
	t.Helper()
	return startWith(t, pool, node.Config{StorageURL: storage})
}

// startWith starts a node with some settings; build chooses the others.
func startWith(t testing.TB, pool *pgxpool.Pool, config node.Config) *Node {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	n := build(t, pool, "http://"+server.Listener.Addr().String(), config)
	n.start(server)
	return n
}

// start answers requests at a server, and does the node's background work. Both end with the test.
func (n *Node) start(server *httptest.Server) {
	t := n.T
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server.Config.Handler = labelled(n.URL, n.Handler())
	server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	server.Start()
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		server.Close()
		defer n.Close()
		if err := <-ended; err != nil {
			t.Errorf("the node ended with %v", err)
		}
	})
}

// Serve starts a node on a migrated database, and serves at a listener as the command does. stop shuts the server down
// and waits for its end; it may be called again. The test's end calls it too.
func Serve(t testing.TB, pool *pgxpool.Pool, listener net.Listener) (n *Node, stop func()) {
	t.Helper()
	n = build(t, pool, "http://"+listener.Addr().String(), node.Config{StorageURL: folder(t)})
	handler := n.Handler()
	handler.Handler = labelled(n.URL, handler.Handler)
	background, stopBackground := context.WithCancel(context.Background())
	serving, stopServing := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- n.Run(background) }()
	go func() {
		defer stopBackground()
		ended <- n.Serve(serving, handler, listener, nil)
	}()
	stop = sync.OnceFunc(func() {
		stopServing()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Errorf("the node ended with %v", err)
		}
		n.Close()
	})
	t.Cleanup(stop)
	return n, stop
}

// build builds a node at a public URL. Its hooks may reach this machine.
func build(t testing.TB, pool *pgxpool.Pool, url string, config node.Config) *Node {
	t.Helper()
	if _, err := account.Ensure(t.Context(), pool, AdminEmail, AdminPassword); err != nil {
		t.Fatal(err)
	}
	config.PublicURL, config.ConnectionsPerUser = url, ConnectionsPerUser
	config.Scratch, config.Encode = t.TempDir(), encode.Settings{Preset: "ultrafast"}
	config.HookReach = egress.Policy{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	config.Log = slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	n, err := node.New(t.Context(), pool, config)
	if err != nil {
		t.Fatal(err)
	}
	return &Node{Client: Connect(t, url), Node: n, Pool: pool}
}

// OpenPool opens a pool on a test database, as another node would.
func OpenPool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimRight(p, "\n"))
	return len(p), nil
}
