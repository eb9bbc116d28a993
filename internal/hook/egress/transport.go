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

// Options are of a Transport. Zero values are replaced by the defaults named.
type Options struct {
	Timeout     time.Duration  // to connect, and again for the TLS handshake: 15 s
	IdlePerHost int            // connections that are kept for the next request, of one host: 64
	RootCAs     *x509.CertPool // whose certificates are trusted: those of the system
	Resolver    *net.Resolver  // of names: the system's
}

// Of connections. The timeouts are lengths of silence.
const (
	keepAlive   = 15 * time.Second
	idleTimeout = 90 * time.Second
	pingTimeout = 5 * time.Second
	maxHeader   = 64 << 10 // bytes of an answer's header
)

// Transport returns a transport whose every connection passes Check, after DNS and for each address tried. It takes no proxy from the
// environment: a proxy would dial for us, unchecked. It verifies certificates, speaks HTTP/2 with who can, and is to be shared: its idle
// connections are its worth. Like every http.RoundTripper, it does not follow redirects.
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
		ForceAttemptHTTP2:      true, // which net/http else gives up with a dialer and a TLS config of one's own
		TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    o.Timeout,
		MaxIdleConnsPerHost:    o.IdlePerHost,
		MaxIdleConns:           16 * o.IdlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // answers are hardly read
		// A connection whose peer has vanished is shared by all requests to it, and must not take them all with it, one timeout after another.
		HTTP2: &http.HTTP2Config{SendPingTimeout: keepAlive, PingTimeout: pingTimeout},
	}
}

// control is the net.Dialer's Control: it is called for each socket, with the address that it is about to connect to.
func (p Policy) control(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read the address %q: %w", address, err)
	}
	return p.Check(resolved)
}
