package egress

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestCheck_RefusesAddressesThatAreNotPublic(t *testing.T) {
	t.Parallel()
	for address, rule := range map[string]string{
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "10.1.2.3": "private", "100.64.0.1": "carrier", "100.127.255.255": "carrier",
		"127.0.0.1": "loopback", "127.8.9.10": "loopback", "169.254.169.254": "link-local", "172.16.0.1": "private", "172.31.255.255": "private",
		"192.0.0.8": "reserved", "192.0.2.1": "documentation", "192.88.99.1": "6to4", "192.168.1.1": "private", "198.18.0.1": "benchmarks",
		"198.19.255.255": "benchmarks", "198.51.100.1": "documentation", "203.0.113.1": "documentation", "224.0.0.1": "multicast",
		"239.255.255.255": "multicast", "240.0.0.1": "reserved", "255.255.255.255": "reserved", "168.63.129.16": "Azure", "100.100.100.200": "carrier",
		"::": "unspecified", "::1": "loopback", "::7f00:1": "IPv4-compatible address (::/96) of 127.0.0.1", "::ffff:127.0.0.1": "loopback",
		"::ffff:10.0.0.1": "private", "::ffff:169.254.169.254": "link-local", "::ffff:0:7f00:1": "IPv4-translated address (::ffff:0:0:0/96) of 127.0.0.1",
		"64:ff9b::7f00:1": "127.0.0.1 behind NAT64, a loopback", "64:ff9b::a00:1": "private", "64:ff9b::a9fe:a9fe": "link-local",
		"64:ff9b:1::808:808": "local NAT64", "64:ff9b:1:ffff::a00:1": "local NAT64", "64:ff9b:2::1": "reserved", "100::1": "reserved",
		"2001::1": "Teredo", "2001:0:4136:e378:8000:63bf:80ff:fffe": "Teredo address (2001::/32) of 127.0.0.1", "2001:2::1": "protocols",
		"2001:10::1": "protocols", "2001:20::1": "protocols", "2001:db8::1": "documentation", "2002:7f00:1::1": "6to4 address (2002::/16) of 127.0.0.1",
		"2002:808:808::1": "6to4 address (2002::/16) of 8.8.8.8", "3fff::1": "documentation", "4000::1": "reserved (outside 2000::/3)", "5f00::1": "reserved",
		"fc00::1": "unique local", "fd12:3456::1": "unique local", "fd00:ec2::254": "unique local", "fe80::1": "link-local", "fe80::1%eth0": "link-local",
		"fec0::1": "site-local", "ff02::1": "multicast", "ff0e::1": "multicast", "::ffff:127.0.0.1%eth0": "loopback", "::1%lo": "loopback",
	} {
		err := Policy{}.Check(netip.AddrPortFrom(netip.MustParseAddr(address), 443))
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || refusal.Setting != SettingNetworks || refusal.Address != netip.MustParseAddr(address) {
			t.Errorf("%s: got %v", address, err)
			continue
		}
		if !strings.Contains(err.Error(), rule) || !strings.Contains(err.Error(), "ITEMCAST_HOOK_ALLOW_NETWORKS") {
			t.Errorf("%s: %v, want the rule %q", address, err, rule)
		}
	}
}

func TestCheck_AllowsPublicAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1",
		"198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "::ffff:8.8.8.8",
		"64:ff9b::808:808", "168.63.129.17", "2003::1", "3ffe::1",
	} {
		if err := (Policy{}).Check(netip.AddrPortFrom(netip.MustParseAddr(address), 80)); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestCheck_AllowsTheNamedNetworksAndNoOthers(t *testing.T) {
	t.Parallel()
	policy := Policy{Networks: prefixes("10.1.0.0/16", "fd00::/8", "2002:a01::/32")}
	for address, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::a01:203": true, "fd12::1": true, "10.2.0.1": false, "127.0.0.1": false, "fc12::1": false,
		"2002:a01:203::1": true, "2002:a02:203::1": false, "::10.1.2.3": false, "fd12::1%eth0": true,
		"2001:0:1:2:3:4:f5fe:fdfc": false, // Teredo of 10.1.2.3
	} {
		if err := policy.Check(netip.AddrPortFrom(netip.MustParseAddr(address), 8080)); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	all := Policy{Networks: prefixes("::/0")}
	if err := all.Check(netip.MustParseAddrPort("[::ffff:127.0.0.1]:80")); err == nil {
		t.Error("a policy that allows all of IPv6 allows a mapped IPv4 address")
	}
}

func TestCheck_RefusesPortsAndNamesTheSetting(t *testing.T) {
	t.Parallel()
	err := Policy{}.Check(netip.MustParseAddrPort("8.8.8.8:25"))
	want := "port 25 is not among those that hooks may reach (80,443,1024-65535); the operator can allow it with ITEMCAST_HOOK_ALLOW_PORTS"
	if refusal, ok := errors.AsType[*Refusal](err); !ok || refusal.Error() != want || refusal.Port != 25 ||
		refusal.Setting != SettingPorts {
		t.Errorf("got %v", err)
	}
	// An allowed network is allowed at the allowed ports only. A refused address is named before its port.
	if err := (Policy{Networks: prefixes("127.0.0.0/8")}).Check(netip.MustParseAddrPort("127.0.0.1:22")); err == nil {
		t.Error("port 22 of an allowed network was allowed")
	}
	if err := (Policy{}).Check(netip.MustParseAddrPort("127.0.0.1:22")); err == nil ||
		!strings.Contains(err.Error(), "loopback") {
		t.Errorf("got %v", err)
	}
}

func prefixes(texts ...string) []netip.Prefix {
	var networks []netip.Prefix
	for _, text := range texts {
		networks = append(networks, netip.MustParsePrefix(text))
	}
	return networks
}
