package egress

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"itemcast/internal/hook/egress/dnstest"
)

var loopback = prefixes("127.0.0.0/8", "::1/128")

// counter is an endpoint that counts its requests.
type counter struct {
	*httptest.Server
	requests atomic.Int32
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	c := &counter{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { c.requests.Add(1) }))
	t.Cleanup(c.Close)
	return c
}

// port is ":" and the port of the endpoint.
func (c *counter) port() string { return c.URL[strings.LastIndexByte(c.URL, ':'):] }

// post sends a request through a transport. It returns an error when there is no response.
func post(t *testing.T, transport *http.Transport, target string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// answers returns options with a resolver that answers every name with the addresses.
func answers(t *testing.T, addresses ...string) Options {
	t.Helper()
	return Options{Resolver: dnstest.Resolver(t, func(string, bool) ([]netip.Addr, bool) {
		var all []netip.Addr
		for _, a := range addresses {
			all = append(all, netip.MustParseAddr(a))
		}
		return all, true
	})}
}

func TestTransport_RefusesEveryFormOfAnAddressWhenDialling(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	transport := Policy{}.Transport(answers(t, "127.0.0.1")) // for systems that do not know "localhost."
	for _, host := range []string{
		"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.0", "[::]",
		"localhost", "localhost.", "LOCALHOST", "１２７.０.０.１", "127。0。0。1", "[fe80::1%25lo]", "169.254.169.254", "10.0.0.1",
	} {
		if err := post(t, transport, "http://"+host+c.port()+"/"); !isRefusal(err) {
			t.Errorf("%s: got %v", host, err)
		}
	}
	if n := c.requests.Load(); n != 0 {
		t.Errorf("%d requests arrived, want none", n)
	}
}

// Resolvers differ in how they read these forms. None may arrive.
func TestTransport_SendsNothingToOtherFormsOfAnAddress(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	transport := Policy{}.Transport(Options{Resolver: answers(t, "127.0.0.1").Resolver})
	for _, host := range []string{"127.1", "2130706433", "0x7f.1", "017700000001", "0177.0.0.1", "127.0.0.1.", "0"} {
		if err := post(t, transport, "http://"+host+c.port()+"/"); err == nil {
			t.Errorf("%s was reached", host)
		}
	}
	if n := c.requests.Load(); n != 0 {
		t.Errorf("%d requests arrived, want none", n)
	}
}

func TestTransport_RefusesAPublicNameWithAPrivateAddress(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	for _, address := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
		"2002:7f00:1::1", "10.0.0.1", "fd00::1", "0.0.0.0", "::"} {
		transport := Policy{}.Transport(answers(t, address))
		if err := post(t, transport, "http://hooks.example"+c.port()+"/"); !isRefusal(err) {
			t.Errorf("%s: got %v", address, err)
		}
	}
	if n := c.requests.Load(); n != 0 {
		t.Errorf("%d requests arrived, want none", n)
	}
}

// 127.0.0.1 stands for a public address, and 127.0.0.2 for a private one. The same server listens at both.
func TestTransport_RefusesANameThatIsReboundToAPrivateAddress(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	var rebound atomic.Bool
	resolver := dnstest.Resolver(t, func(string, bool) ([]netip.Addr, bool) {
		if rebound.Load() {
			return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, true
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, true
	})
	transport := Policy{Networks: prefixes("127.0.0.1/32")}.Transport(Options{Resolver: resolver})
	target := "http://hooks.example" + c.port() + "/"
	if err := post(t, transport, target); err != nil {
		t.Fatal(err)
	}
	rebound.Store(true)
	transport.CloseIdleConnections()
	if err := post(t, transport, target); !isRefusal(err) || !strings.Contains(err.Error(), "127.0.0.2 is a loopback") {
		t.Errorf("got %v", err)
	}
	if n := c.requests.Load(); n != 1 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestTransport_SkipsRefusedAddressesOfAName(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	transport := Policy{Networks: prefixes("127.0.0.1/32")}.Transport(answers(t, "10.0.0.1", "fd00::1", "127.0.0.1"))
	if err := post(t, transport, "http://hooks.example"+c.port()+"/"); err != nil || c.requests.Load() != 1 {
		t.Errorf("%d requests, %v", c.requests.Load(), err)
	}
}

func TestTransport_RefusesPortsWhenDialling(t *testing.T) {
	t.Parallel()
	var ports Ports
	if err := ports.UnmarshalText([]byte("443")); err != nil {
		t.Fatal(err)
	}
	c := newCounter(t)
	err := post(t, Policy{Networks: loopback, Ports: ports}.Transport(answers(t, "127.0.0.1")),
		"http://hooks.example"+c.port()+"/")
	if refusal, ok := errors.AsType[*Refusal](err); !ok || refusal.Setting != SettingPorts || c.requests.Load() != 0 {
		t.Errorf("got %v", err)
	}
}

func TestTransport_DoesNotFollowRedirects(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	redirecting := httptest.NewServer(http.RedirectHandler(c.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirecting.Close)
	if err := post(t, Policy{Networks: loopback}.Transport(Options{}), redirecting.URL); err != nil ||
		c.requests.Load() != 0 {
		t.Errorf("%d requests arrived, %v", c.requests.Load(), err)
	}
}

func TestTransport_IgnoresTheProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	if (Policy{}).Transport(Options{}).Proxy != nil {
		t.Error("a proxy would dial unchecked")
	}
}

func TestTransport_VerifiesCertificatesAndUsesHTTP2(t *testing.T) {
	t.Parallel()
	protocols := make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		protocols <- r.Proto
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	err := post(t, Policy{Networks: loopback}.Transport(Options{}), server.URL)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("a certificate of an unknown authority: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport := Policy{Networks: loopback}.Transport(Options{RootCAs: roots})
	t.Cleanup(transport.CloseIdleConnections)
	if err := post(t, transport, server.URL); err != nil {
		t.Fatal(err)
	}
	if protocol := <-protocols; protocol != "HTTP/2.0" {
		t.Errorf("the protocol is %s", protocol)
	}
}

func TestTransport_BoundsTheHeaderOfAResponse(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Long", strings.Repeat("a", maxHeader))
	}))
	t.Cleanup(server.Close)
	if err := post(t, Policy{Networks: loopback}.Transport(Options{}), server.URL); err == nil ||
		!strings.Contains(err.Error(), "exceeded") {
		t.Errorf("got %v", err)
	}
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*Refusal](err)
	return ok
}

// FuzzCheckURL searches for a URL that is accepted, and with which net/http dials an address that is not allowed.
func FuzzCheckURL(f *testing.F) {
	for _, url := range []string{
		"http://127.0.0.1/", "http://0x7f.1/", "http://[::ffff:7f00:1]:8080/", "http://127。0。0。1/", "https://a@b:1/", "http://[fe80::1%25eth0]/", "http://8.8.8.8./",
		"http://%31.example/", "http://１２７.1/", "HTTP://LOCALHOST.:80/?#", "http://[64:ff9b::a00:1]/", "http://2130706433:443/x", `http://a\@b/`, "http://a:b@c:d@e/",
	} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		normal, fault, refusal := Policy{}.CheckURL(raw)
		if fault != "" || refusal != nil {
			return
		}
		if again, fault, refusal := (Policy{}).CheckURL(normal); again != normal {
			t.Fatalf("%q becomes %q, and that %q, %q, %v", raw, normal, again, fault, refusal)
		}
		dialled := dialledBy(t, normal)
		host, err := url.Parse("//" + dialled)
		if err != nil {
			t.Fatalf("%q dials %q", raw, dialled)
		}
		address, err := netip.ParseAddrPort(dialled)
		if err != nil { // a name: no software may read it as an address
			if last := host.Hostname(); endsInNumber(last) || strings.ContainsAny(last, ":%[]@/\\ ") {
				t.Errorf("%q dials %q", raw, dialled)
			}
			return
		}
		ip := address.Addr().Unmap()
		if ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() ||
			(Policy{}).Check(address) != nil {
			t.Errorf("%q dials %q", raw, dialled)
		}
	})
}

// dialledBy returns the address that net/http dials for a URL.
func dialledBy(t *testing.T, raw string) (address string) {
	stop := errors.New("not dialled")
	transport := &http.Transport{DialContext: func(_ context.Context, _, to string) (_ net.Conn, err error) {
		address = to
		return nil, stop
	}}
	transport.DialTLSContext = transport.DialContext
	if err := post(t, transport, raw); !errors.Is(err, stop) {
		t.Fatalf("%q is accepted, but net/http does not dial it: %v", raw, err)
	}
	return address
}
