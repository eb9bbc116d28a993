package nodetest

import (
	"net"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ReserveAddress returns a TCP address at which connections are refused until the test itself listens there. It may
// do so again and again: nobody else gets the port before the test ends, because a socket that does not listen is bound
// to it.
func ReserveAddress(t testing.TB) string {
	t.Helper()
	syscall.ForkLock.RLock()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	// With this option on both, as net.Listen sets it, another socket may be bound to the same port and listen.
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
}

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
