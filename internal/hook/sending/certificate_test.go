package sending

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/egress/dnstest"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true,
		BasicConstraintsValid: true,
		NotBefore:             time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign,
	}
	key := newKey(t)
	return authority{sign(t, template, authority{template, key}, key), key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, template *x509.Certificate, by authority, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// issue makes a certificate of hooks.example that is valid now, unless change says otherwise. A nil by makes it
// self-signed.
func issue(t *testing.T, by *authority, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "an endpoint"}, DNSNames: []string{"hooks.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	key := newKey(t)
	if by == nil {
		by = &authority{template, key}
	}
	return tls.Certificate{Certificate: [][]byte{sign(t, template, *by, key).Raw}, PrivateKey: key}
}

// listenTLS starts an endpoint and returns its port.
func listenTLS(t *testing.T, config *tls.Config, handler http.HandlerFunc) (port string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS, server.EnableHTTP2 = config, true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, _ = net.SplitHostPort(server.Listener.Addr().String())
	return port
}

// trusting makes a Sender that trusts an authority and resolves every name to this machine.
func trusting(t *testing.T, a authority) *Sender {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	resolver := dnstest.Resolver(t, func(string, bool) ([]netip.Addr,
		bool) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, true
	})
	return newSender(t, loopback, egress.Options{RootCAs: roots, Resolver: resolver}, Config{})
}

// overTLS starts an endpoint with a valid certificate, and a Sender that trusts it.
func overTLS(t *testing.T, handler http.HandlerFunc) (*Sender, string) {
	t.Helper()
	a := newAuthority(t)
	port := listenTLS(t, &tls.Config{Certificates: []tls.Certificate{issue(t, &a, nil)}}, handler)
	return trusting(t, a), "https://hooks.example:" + port
}

func TestSend_UsesHTTP2WhereTheEndpointCan(t *testing.T) {
	t.Parallel()
	protocols := make(chan string, 1)
	sender, base := overTLS(t, func(_ http.ResponseWriter, r *http.Request) { protocols <- r.Proto })
	check(t, sender.Send(t.Context(), message(base)), "", "")
	if protocol := <-protocols; protocol != "HTTP/2.0" {
		t.Errorf("the protocol is %s", protocol)
	}
}

func TestSend_ReportsWhatIsWrongWithACertificate(t *testing.T) {
	t.Parallel()
	trusted, stranger := newAuthority(t), newAuthority(t)
	sender := trusting(t, trusted)
	expiry := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, certificate := range map[string]tls.Certificate{
		"expired on 2026-01-02": issue(t, &trusted, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = expiry.Add(-time.Hour), expiry }),
		"is not valid before 2099-01-02": issue(t, &trusted, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = expiry.AddDate(73, 0, 0), expiry.AddDate(74, 0, 0)
		}),
		"is for other hosts: other.example, 10.1.2.3": issue(t, &trusted, func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = []string{"other.example"}, []net.IP{net.IPv4(10, 1, 2, 3)}
		}),
		"is for other hosts: a.example, b.example, c.example, 2 more": issue(t, &trusted, func(c *x509.Certificate) {
			c.DNSNames = []string{"a.example", "b.example", "c.example", "d.example", "e.example"}
		}),
		"names no host":                      issue(t, &trusted, func(c *x509.Certificate) { c.DNSNames = nil }),
		"is self-signed, and so not trusted": issue(t, nil, nil),
		"is by an authority that is not trusted, or the server does not send the intermediate certificates": issue(t, &stranger, nil),
		"is not valid: certificate specifies an incompatible key usage": issue(t, &trusted, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}),
	} {
		port := listenTLS(t, &tls.Config{Certificates: []tls.Certificate{certificate}},
			func(http.ResponseWriter, *http.Request) { t.Error("the message arrived") })
		check(t, sender.Send(t.Context(), message("https://hooks.example:"+port)), TLS,
			"The certificate of hooks.example "+want)
	}
	whole := issue(t, &stranger, nil)
	whole.Certificate = append(whole.Certificate, stranger.certificate.Raw)
	port := listenTLS(t, &tls.Config{Certificates: []tls.Certificate{whole}}, nil)
	check(t, sender.Send(t.Context(), message("https://hooks.example:"+port)), TLS,
		"The certificate of hooks.example is by an authority that is not trusted")
}

func TestSend_ReportsHandshakesThatFail(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	sender := trusting(t, a)
	good := []tls.Certificate{issue(t, &a, nil)}

	port := listenTLS(t, &tls.Config{Certificates: good, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10},
		nil)
	check(t, sender.Send(t.Context(), message("https://hooks.example:"+port)), TLS,
		"hooks.example:"+port+" aborted the TLS handshake: protocol version not supported")

	// TLS 1.2, because in TLS 1.3 the client finishes before the server checks its certificate, and may see only a
	// closed connection.
	port = listenTLS(t, &tls.Config{Certificates: good, ClientAuth: tls.RequireAnyClientCert,
		MaxVersion: tls.VersionTLS12}, nil)
	got := sender.Send(t.Context(), message("https://hooks.example:"+port))
	if got.Fault != TLS || !strings.HasPrefix(got.Detail, "hooks.example:"+port+" aborted the TLS handshake: ") {
		t.Errorf("got %+v", got)
	}

	plain := strings.TrimPrefix(serve(t, nil), "http://")
	check(t, sender.Send(t.Context(), message("https://"+plain)), TLS,
		plain+" speaks HTTP without TLS; the URL of the hook must begin with http://")

	ssh := raw(t, func(_ int, conn net.Conn) { _, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.6\r\n"); hold(conn) })
	check(t, sender.Send(t.Context(), message("https://"+ssh)), TLS, ssh+" does not speak TLS")
}

func TestSend_ReportsThatAServerOfHTTPWantsTLS(t *testing.T) {
	t.Parallel()
	sender, base := overTLS(t, nil)
	host := strings.TrimPrefix(base, "https://")
	// The text is that of servers of net/http.
	got := sender.Send(t.Context(), message("http://"+host))
	if got.Fault != Status || got.Status != http.StatusBadRequest || !strings.Contains(got.Response, "HTTPS server") {
		t.Errorf("got %+v", got)
	}
}
