package hook

import (
	"net/netip"
	"strings"
	"testing"
)

func TestCheckAddress_RefusesWhatIsNotPublic(t *testing.T) {
	t.Parallel()
	for address, rule := range map[string]string{
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "10.1.2.3": "private", "100.64.0.1": "carrier", "100.127.255.255": "carrier",
		"127.0.0.1": "loopback", "127.8.9.10": "loopback", "169.254.169.254": "link-local", "172.16.0.1": "private", "172.31.255.255": "private",
		"192.0.0.8": "reserved", "192.0.2.1": "documentation", "192.88.99.1": "6to4", "192.168.1.1": "private", "198.18.0.1": "benchmarks",
		"198.19.255.255": "benchmarks", "198.51.100.1": "documentation", "203.0.113.1": "documentation", "224.0.0.1": "multicast",
		"239.255.255.255": "multicast", "240.0.0.1": "reserved", "255.255.255.255": "reserved",
		"::": "unspecified", "::1": "loopback", "::7f00:1": "reserved", "::ffff:127.0.0.1": "loopback", "::ffff:10.0.0.1": "private",
		"::ffff:169.254.169.254": "link-local", "64:ff9b::7f00:1": "loopback", "64:ff9b::a00:1": "private", "64:ff9b::a9fe:a9fe": "link-local",
		"64:ff9b:1::808:808": "local NAT64", "64:ff9b:1:ffff::a00:1": "local NAT64", "64:ff9b:2::1": "reserved", "100::1": "reserved",
		"2001::1": "Teredo", "2001:0:4136:e378::1": "Teredo", "2001:2::1": "protocols", "2001:10::1": "protocols", "2001:db8::1": "documentation",
		"2002:7f00:1::1": "6to4", "2002:808:808::1": "6to4", "3fff::1": "documentation", "4000::1": "reserved", "5f00::1": "reserved",
		"fc00::1": "unique local", "fd12:3456::1": "unique local", "fe80::1": "link-local", "fe80::1%eth0": "link-local", "fec0::1": "site-local",
		"ff02::1": "multicast", "ff0e::1": "multicast",
	} {
		err := checkAddress(netip.MustParseAddr(address), nil)
		if err == nil {
			t.Errorf("%s was allowed", address)
			continue
		}
		if !strings.Contains(err.Error(), rule) || !strings.Contains(err.Error(), "ITEMCAST_HOOK_ALLOW_NETWORKS") {
			t.Errorf("%s: %v, want the rule %q", address, err, rule)
		}
	}
}

func TestCheckAddress_LetsPublicAddressesPass(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1",
		"198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "::ffff:8.8.8.8",
		"64:ff9b::808:808",
	} {
		if err := checkAddress(netip.MustParseAddr(address), nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestCheckAddress_LetsAllowedNetworksPassAndNoOthers(t *testing.T) {
	t.Parallel()
	allowed := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	for address, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::a01:203": true, "fd12::1": true, "10.2.0.1": false, "127.0.0.1": false, "fc12::1": false,
	} {
		if err := checkAddress(netip.MustParseAddr(address), allowed); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestTransport_TakesNoProxyFromTheEnvironment(t *testing.T) {
	t.Parallel()
	if newTransport(Config{}.withDefaults()).Proxy != nil {
		t.Error("a proxy would dial unchecked")
	}
}
