package egress

import (
	"fmt"
	"net/netip"
)

// special are the networks outside the public internet, from the IANA special-purpose address registries (RFC 6890
// and its updates), and one public address that Azure uses inside its network.
var special = []struct {
	network netip.Prefix
	kind    string
	inside  func(netip.Addr) netip.Addr // returns the embedded IPv4 address; nil: there is none
}{
	{network: netip.MustParsePrefix("0.0.0.0/8"), kind: "an unspecified address"},
	{network: netip.MustParsePrefix("10.0.0.0/8"), kind: "in a private network"},
	{network: netip.MustParsePrefix("100.64.0.0/10"), kind: "a carrier's shared address"},
	{network: netip.MustParsePrefix("127.0.0.0/8"), kind: "a loopback address"},
	{network: netip.MustParsePrefix("168.63.129.16/32"), kind: "an internal address of Azure"},
	{network: netip.MustParsePrefix("169.254.0.0/16"), kind: "a link-local address"},
	{network: netip.MustParsePrefix("172.16.0.0/12"), kind: "in a private network"},
	{network: netip.MustParsePrefix("192.0.0.0/24"), kind: "reserved for protocols"},
	{network: netip.MustParsePrefix("192.0.2.0/24"), kind: "for documentation"},
	{network: netip.MustParsePrefix("192.88.99.0/24"), kind: "a 6to4 relay"},
	{network: netip.MustParsePrefix("192.168.0.0/16"), kind: "in a private network"},
	{network: netip.MustParsePrefix("198.18.0.0/15"), kind: "for benchmarks"},
	{network: netip.MustParsePrefix("198.51.100.0/24"), kind: "for documentation"},
	{network: netip.MustParsePrefix("203.0.113.0/24"), kind: "for documentation"},
	{network: netip.MustParsePrefix("224.0.0.0/4"), kind: "a multicast address"},
	{network: netip.MustParsePrefix("240.0.0.0/4"), kind: "reserved"},

	{network: netip.MustParsePrefix("::/128"), kind: "the unspecified address"},
	{network: netip.MustParsePrefix("::1/128"), kind: "the loopback address"},
	{network: netip.MustParsePrefix("::/96"), kind: "a reserved IPv4-compatible address", inside: lastFour},
	// RFC 4291 §2.5.5.1
	{network: netip.MustParsePrefix("::ffff:0:0:0/96"), kind: "a reserved IPv4-translated address", inside: lastFour},
	{network: netip.MustParsePrefix("64:ff9b:1::/48"), kind: "for local NAT64"},
	{network: netip.MustParsePrefix("2001::/32"), kind: "a Teredo address", inside: teredoClient},
	{network: netip.MustParsePrefix("2001::/23"), kind: "reserved for protocols"},
	{network: netip.MustParsePrefix("2001:db8::/32"), kind: "for documentation"},
	{network: netip.MustParsePrefix("2002::/16"), kind: "a 6to4 address", inside: sixToFour},
	{network: netip.MustParsePrefix("3fff::/20"), kind: "for documentation"},
	{network: netip.MustParsePrefix("fc00::/7"), kind: "a unique local address"},
	{network: netip.MustParsePrefix("fe80::/10"), kind: "a link-local address"},
	{network: netip.MustParsePrefix("fec0::/10"), kind: "a site-local address"},
	{network: netip.MustParsePrefix("ff00::/8"), kind: "a multicast address"},
}

var (
	globalUnicast = netip.MustParsePrefix("2000::/3") // what IANA allocates; the rest of IPv6 is reserved
	nat64         = netip.MustParsePrefix("64:ff9b::/96")
)

// ruleOf describes an address that is not public; empty: it is public.
func ruleOf(address netip.Addr) string {
	for _, s := range special {
		if !s.network.Contains(address) {
			continue
		}
		rule := fmt.Sprintf("%s (%s)", s.kind, s.network)
		if s.inside != nil {
			rule += fmt.Sprintf(" of %s", s.inside(address))
		}
		return rule
	}
	if address.Is6() && !globalUnicast.Contains(address) {
		return fmt.Sprintf("reserved (outside %s)", globalUnicast)
	}
	return ""
}

// lastFour returns the IPv4 address in one of NAT64's well-known prefix (RFC 6052 §2.2).
func lastFour(address netip.Addr) netip.Addr {
	raw := address.As16()
	return netip.AddrFrom4([4]byte(raw[12:]))
}

// sixToFour returns the address of the 6to4 router (RFC 3056 §2).
func sixToFour(address netip.Addr) netip.Addr {
	raw := address.As16()
	return netip.AddrFrom4([4]byte(raw[2:6]))
}

// teredoClient returns the address of the Teredo client, which is stored inverted (RFC 4380 §4).
func teredoClient(address netip.Addr) netip.Addr {
	raw := address.As16()
	return netip.AddrFrom4([4]byte{^raw[12], ^raw[13], ^raw[14], ^raw[15]})
}
