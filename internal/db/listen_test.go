package db_test

import (
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
)

// timeout limits each wait of the tests. What they wait for happens much sooner, even on a busy machine.
const timeout = time.Minute

// listen follows the channel "news" until the test ends. Each call of the listener sends one event.
func listen(t *testing.T, pool *pgxpool.Pool) <-chan string {
	t.Helper()
	events := make(chan string, 100)
	var running sync.WaitGroup
	running.Go(func() {
		db.Listen(t.Context(), pool, db.Listener{
			Channel:      "news",
			Log:          slog.New(slog.NewTextHandler(t.Output(), nil)),
			Connected:    func() { events <- "connected" },
			Notified:     func(payload string) { events <- "notified " + payload },
			Disconnected: func() { events <- "disconnected" },
		})
	})
	t.Cleanup(running.Wait) // t.Context has ended by then
	return events
}

func next(t *testing.T, events <-chan string, want string) {
	t.Helper()
	select {
	case got := <-events:
		if got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	case <-time.After(timeout):
		t.Fatalf("%q did not come", want)
	}
}

func notify(t *testing.T, pool *pgxpool.Pool, payload string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), "SELECT pg_notify('news', $1)", payload); err != nil {
		t.Fatal(err)
	}
}

func TestListen_DeliversNotificationsInOrder(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	events := listen(t, pool)
	next(t, events, "connected")
	for _, payload := range []string{"one", "", "three"} {
		notify(t, pool, payload)
	}
	for _, payload := range []string{"one", "", "three"} {
		next(t, events, "notified "+payload)
	}
}

func TestListen_ReconnectsAndReportsIt(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	events := listen(t, pool)
	next(t, events, "connected")
	for range 3 {
		// The backend of the connection before may not have ended yet.
		tag, err := pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'itemcast news'
			ORDER BY backend_start DESC LIMIT 1`)
		if err != nil || tag.RowsAffected() != 1 {
			t.Fatalf("%d connections listen: %v", tag.RowsAffected(), err)
		}
		next(t, events, "disconnected")
		next(t, events, "connected")
		notify(t, pool, "again")
		next(t, events, "notified again")
	}
}

func TestListen_NoticesAServerThatFellSilent(t *testing.T) {
	t.Parallel()
	direct := dbtest.New(t)
	proxy := newProxy(t, direct)
	pool, err := db.Open(t.Context(), proxy.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	events := listen(t, pool)
	next(t, events, "connected")
	proxy.silence()
	next(t, events, "disconnected")
	next(t, events, "connected") // connections made after the silence work
	notify(t, direct, "again")
	next(t, events, "notified again")
}

// proxy forwards connections to Postgres.
type proxy struct {
	url    string
	mu     sync.Mutex
	silent chan struct{} // closed: the connections made before forward no more
}

func newProxy(t *testing.T, pool *pgxpool.Pool) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	config := pool.Config().ConnConfig
	network, address := "tcp", net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if config.Host[0] == '/' {
		network, address = "unix", config.Host+"/.s.PGSQL."+strconv.Itoa(int(config.Port))
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: listener.Addr().String(),
		Path: config.Database, RawQuery: "sslmode=disable"}
	p := &proxy{url: u.String(), silent: make(chan struct{})}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.mu.Lock()
			silent := p.silent
			p.mu.Unlock()
			go forward(client, server, silent)
			go forward(server, client, silent)
		}
	}()
	return p
}

// silence makes all open connections fall silent, without closing them.
func (p *proxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.silent)
	p.silent = make(chan struct{})
}

func forward(from, to net.Conn, silent <-chan struct{}) {
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-silent:
			_, _ = io.Copy(io.Discard, from)
			return
		default:
		}
		if err != nil {
			_ = to.Close()
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
