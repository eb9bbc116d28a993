package egress

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Options configure a Transport. A zero value stands for the default in the comment.
type Options struct {
	Timeout     time.Duration  // to connect, and again for the TLS handshake: 15 s
	IdlePerHost int            // maximum idle connections to one host: 64
	RootCAs     *x509.CertPool // trusted authorities: those of the system
	Resolver    *net.Resolver  // the system's resolver
}

const (
	keepAlive   = 15 * time.Second // of silence, before a probe
	idleTimeout = 90 * time.Second
	pingTimeout = 5 * time.Second
	maxHeader   = 64 << 10 // bytes of a response header
)

// Transport returns a transport that checks every connection after DNS, for each address that it tries. It ignores
// the proxy settings of the environment: a proxy would dial unchecked. It verifies certificates and uses HTTP/2
// where the endpoint can. Share it: its idle connections save handshakes. Like every http.RoundTripper, it does not
// follow redirects.
func (p Policy) Transport(o Options) *http.Transport {
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	if o.IdlePerHost == 0 {
		o.IdlePerHost = 64
	}
	dialer := &net.Dialer{Timeout: o.Timeout, KeepAlive: keepAlive, Resolver: o.Resolver, Control: p.control}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true, // net/http disables it with a custom dialer or TLS config
		TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    o.Timeout,
		MaxIdleConnsPerHost:    o.IdlePerHost,
		MaxIdleConns:           16 * o.IdlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // only the beginning of a response is read
		// All requests to an endpoint share one connection. Pings detect a peer that has vanished, before request after
		// request fails by timeout.
		HTTP2: &http.HTTP2Config{SendPingTimeout: keepAlive, PingTimeout: pingTimeout},
	}
}

// control is the Control of the net.Dialer, called for each socket with the address that it is about to connect to.
func (p Policy) control(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("parse the address %q: %w", address, err)
	}
	return p.Check(resolved)
}
