// Package egress decides which addresses hooks may reach, so that nobody can use them to look around in the operator's own network
// (server-side request forgery).
//
// It promises that no connection of its Transport is made to an address or a port that the Policy refuses, whatever a name server answers,
// however often it changes its answer, and however the URL was written: the check is made on the resolved address of each socket, between
// its creation and its connection. CheckURL tells the owner of a hook at once, when the host is an address already; it spares a surprise
// and protects nothing by itself.
//
// It must not know hooks, messages or the database.
package egress

import (
	"fmt"
	"net/netip"
)

// The settings that change what is refused.
const (
	SettingNetworks = "ITEMCAST_HOOK_ALLOW_NETWORKS"
	SettingPorts    = "ITEMCAST_HOOK_ALLOW_PORTS"
)

// Policy says what may be reached: public addresses and those of Networks, at Ports. The zero value is the strictest that is of use: public
// addresses at the default ports.
type Policy struct {
	Networks []netip.Prefix // that may be reached although they are not public
	Ports    Ports          // that may be reached, of public and other addresses alike; zero: the default ones
}

// Refusal is the error for an address that may not be reached.
type Refusal struct {
	Address netip.Addr // not valid: it is a matter of the port alone, of a host that is a name
	Port    uint16     // zero: it is a matter of the address alone
	Rule    string     // what the address is, with the network that makes it so; empty: the port is refused
	Setting string     // what the operator can change: SettingNetworks or SettingPorts
	ports   Ports
}

func (r *Refusal) Error() string {
	if r.Setting == SettingPorts {
		return fmt.Sprintf("port %d is not one that hooks may reach, which are %s; the operator can allow a port with %s", r.Port, r.ports, r.Setting)
	}
	return fmt.Sprintf("%s is %s, which hooks may not reach; the operator can allow a network with %s", r.Address, r.Rule, r.Setting)
}

// Check returns a *Refusal unless address may be reached.
func (p Policy) Check(address netip.AddrPort) error {
	if err := p.checkAddress(address.Addr()); err != nil {
		return err
	}
	return p.checkPort(address.Addr(), address.Port())
}

// checkAddress looks at an IPv4 address inside an IPv6 one as what it is, where packets for the one end up at the other: IPv4-mapped, and
// NAT64, by which hosts without IPv4 reach the public IPv4 internet. Tunnels (6to4, Teredo) are refused, whatever is inside.
func (p Policy) checkAddress(address netip.Addr) error {
	outer := address.WithZone("").Unmap()
	inner := outer
	if nat64.Contains(outer) {
		inner = lastFour(outer)
	}
	for _, network := range p.Networks {
		if network.Contains(inner) || network.Contains(outer) {
			return nil
		}
	}
	rule := ruleOf(inner)
	if rule == "" {
		return nil
	}
	if inner != outer {
		rule = fmt.Sprintf("%s behind NAT64, %s", inner, rule)
	}
	return &Refusal{Address: address, Rule: rule, Setting: SettingNetworks}
}

func (p Policy) checkPort(address netip.Addr, port uint16) error {
	if p.Ports.Allow(port) {
		return nil
	}
	return &Refusal{Address: address, Port: port, Setting: SettingPorts, ports: p.Ports}
}
