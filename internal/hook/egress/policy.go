// Package egress decides which addresses hooks may reach, so that they cannot be used to probe the operator's own
// network (server-side request forgery).
//
// It promises that its Transport makes no connection to an address or a port that the Policy refuses, whatever a
// name server answers, however often the answer changes, and however the URL is written. The Transport checks the
// resolved address of each socket, after the socket is created and before it connects. CheckURL reports a refused
// address as soon as a hook's URL is set. It is a courtesy to the owner, and protects nothing by itself.
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

// Policy allows public addresses and those of Networks, at Ports. The zero value allows public addresses at the
// default ports.
type Policy struct {
	Networks []netip.Prefix // allowed although they are not public
	Ports    Ports          // allowed for all addresses; zero: the default ports
}

// Refusal is the error for an address or a port that is not allowed.
type Refusal struct {
	Address netip.Addr // invalid: the host is a name, and its port is refused
	Port    uint16     // zero: the address is refused
	Rule    string     // what the address is, with its network; empty: the port is refused
	Setting string     // the operator can change it to allow this: SettingNetworks or SettingPorts
	ports   Ports
}

func (r *Refusal) Error() string {
	if r.Setting == SettingPorts {
		return fmt.Sprintf("port %d is not among those that hooks may reach (%s); the operator can allow it with %s",
			r.Port, r.ports, r.Setting)
	}
	return fmt.Sprintf("%s is %s, which hooks may not reach; the operator can allow a network with %s",
		r.Address, r.Rule, r.Setting)
}

// Check returns a *Refusal unless the address and the port are allowed.
func (p Policy) Check(address netip.AddrPort) error {
	if err := p.checkAddress(address.Addr()); err != nil {
		return err
	}
	return p.checkPort(address.Addr(), address.Port())
}

// checkAddress checks the IPv4 address inside an IPv6 address where packets to the IPv6 address reach it: IPv4-mapped
// addresses, and NAT64, by which hosts without IPv4 reach the public IPv4 internet. Tunnels (6to4, Teredo) are
// refused, whatever is inside.
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
