// Package porttest reserves TCP ports for tests, so that no other process of a busy machine gets them.
package porttest

import (
	"net"
	"strconv"
	"syscall"
	"testing"
)

// Reserve returns a TCP address of this machine at which connections are refused until the test itself listens there.
// It may do so again and again: nobody else gets the port before the test ends, because a socket that does not listen
// is bound to it.
func Reserve(t testing.TB) (address string) {
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
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(bound.(*syscall.SockaddrInet4).Port))
}
