package hook

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// refusal says that an address may not be reached, by which rule, and which setting changes that.
type refusal struct {
	address netip.Addr
	rule    string
}

func (r refusal) Error() string {
	return fmt.Sprintf("%s is %s, which hooks may not reach; the operator can allow a network with ITEMCAST_HOOK_ALLOW_NETWORKS", r.address, r.rule)
}

// special are the networks that are not the public internet, from the IANA special-purpose address registries (RFC 6890 and its updates).
var special = []struct {
	network netip.Prefix
	rule    string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified address (0.0.0.0/8)"},
	{netip.MustParsePrefix("10.0.0.0/8"), "in a private network (10.0.0.0/8)"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a carrier's shared address (100.64.0.0/10)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address (127.0.0.0/8)"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address (169.254.0.0/16)"},
	{netip.MustParsePrefix("172.16.0.0/12"), "in a private network (172.16.0.0/12)"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved for protocols (192.0.0.0/24)"},
	{netip.MustParsePrefix("192.0.2.0/24"), "for documentation (192.0.2.0/24)"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a 6to4 relay (192.88.99.0/24)"},
	{netip.MustParsePrefix("192.168.0.0/16"), "in a private network (192.168.0.0/16)"},
	{netip.MustParsePrefix("198.18.0.0/15"), "for benchmarks (198.18.0.0/15)"},
	{netip.MustParsePrefix("198.51.100.0/24"), "for documentation (198.51.100.0/24)"},
	{netip.MustParsePrefix("203.0.113.0/24"), "for documentation (203.0.113.0/24)"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address (224.0.0.0/4)"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved (240.0.0.0/4)"},

	{netip.MustParsePrefix("::/128"), "the unspecified address (::)"},
	{netip.MustParsePrefix("::1/128"), "the loopback address (::1)"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "for local NAT64 (64:ff9b:1::/48)"},
	{netip.MustParsePrefix("2001::/32"), "a Teredo address (2001::/32)"},
	{netip.MustParsePrefix("2001::/23"), "reserved for protocols (2001::/23)"},
	{netip.MustParsePrefix("2001:db8::/32"), "for documentation (2001:db8::/32)"},
	{netip.MustParsePrefix("2002::/16"), "a 6to4 address (2002::/16)"},
	{netip.MustParsePrefix("3fff::/20"), "for documentation (3fff::/20)"},
	{netip.MustParsePrefix("fc00::/7"), "a unique local address (fc00::/7)"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address (fe80::/10)"},
	{netip.MustParsePrefix("fec0::/10"), "a site-local address (fec0::/10)"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address (ff00::/8)"},
}

var (
	globalUnicast = netip.MustParsePrefix("2000::/3") // all that IANA gives out; the rest of IPv6 is reserved
	nat64         = netip.MustParsePrefix("64:ff9b::/96")
)

// checkAddress returns a refusal unless the address is public or in one of the allowed networks. An IPv4 address inside an IPv6 one is
// looked at as what it is: IPv4-mapped, and NAT64, by which hosts without IPv4 reach the public IPv4 internet.
func checkAddress(address netip.Addr, allowed []netip.Prefix) error {
	inner := address.WithZone("").Unmap()
	if nat64.Contains(inner) {
		raw := inner.As16()
		inner = netip.AddrFrom4([4]byte(raw[12:]))
	}
	for _, network := range allowed {
		if network.Contains(inner) || network.Contains(address.WithZone("")) {
			return nil
		}
	}
	for _, s := range special {
		if s.network.Contains(inner) {
			return refusal{address, s.rule}
		}
	}
	if inner.Is6() && !globalUnicast.Contains(inner) {
		return refusal{address, "reserved (outside 2000::/3)"}
	}
	return nil
}

// newTransport returns a transport whose every connection passes checkAddress, after DNS and for each address tried. It takes no proxy
// from the environment: a proxy would dial for us, unchecked.
func newTransport(c Config) *http.Transport {
	dialer := &net.Dialer{
		Timeout:   c.Timeout,
		KeepAlive: 15 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			resolved, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("read the address %q: %w", address, err)
			}
			return checkAddress(resolved.Addr(), c.AllowNetworks)
		},
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    c.Slots,
		MaxIdleConns:           16 * c.Slots,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    c.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // answers are hardly read
	}
}
