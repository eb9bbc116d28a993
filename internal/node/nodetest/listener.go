package nodetest

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Listen listens at a TCP address.
func Listen(t testing.TB, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// WatchedListener knows which of its connections the server has closed.
type WatchedListener struct {
	net.Listener

	mu     sync.Mutex
	closed map[string]bool // by the client's address
}

// ListenWatched listens at an address that the system chooses.
func ListenWatched(t testing.TB) *WatchedListener {
	t.Helper()
	return &WatchedListener{Listener: Listen(t, "127.0.0.1:0"), closed: map[string]bool{}}
}

// Accept is called by the server.
func (l *WatchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn, listener: l}, nil
}

// AwaitClose waits until the server has closed its end of a client's connection.
func (l *WatchedListener) AwaitClose(t testing.TB, client net.Conn, limit time.Duration) {
	t.Helper()
	EventuallyWithin(t, limit, "the server closes the connection", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.closed[client.LocalAddr().String()]
	})
}

type watchedConn struct {
	net.Conn
	listener *WatchedListener
}

func (c *watchedConn) Close() error {
	c.listener.mu.Lock()
	c.listener.closed[c.RemoteAddr().String()] = true
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
