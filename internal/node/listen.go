package node

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// listen binds the public and the operators' address; ops is nil without one. A server binds both before it changes the
// database: a first start prints a password once, and must not fail after that.
func (c *ServeConfig) listen() (public, ops net.Listener, err error) {
	if public, err = listen(c.Addr, "--addr (ITEMCAST_ADDR)"); err != nil || c.OpsAddr == "" {
		return public, nil, err
	}
	if ops, err = listen(c.OpsAddr, "--ops-addr (ITEMCAST_OPS_ADDR)"); err != nil {
		public.Close()
		return nil, nil, err
	}
	return public, ops, nil
}

func listen(addr, setting string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use already: stop the program that listens there, or choose another address "+
			"with %s", addr, setting)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s: choose a port above 1023 with %s", addr, setting)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s is no address of this machine: choose one with %s, such as 127.0.0.1:8080, or "+
			"0.0.0.0:8080 for all its addresses", addr, setting)
	}
	return nil, fmt.Errorf("cannot listen on %q: set %s to a host and a port, such as 127.0.0.1:8080 (%w)", addr, setting,
		err)
}

func actualAddr(addr string, listener net.Listener) string {
	if _, port, err := net.SplitHostPort(addr); err == nil && port == "0" {
		return listener.Addr().String()
	}
	return addr
}

// Reachable returns an address at which clients on this machine reach a listener: 127.0.0.1 stands for an address
// without a host, or with an unspecified one (0.0.0.0 or ::).
func Reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}
