package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// Reach reports whether hooks may reach the host of a URL now: it returns an error when its name does not resolve, or
// when every address that it has is refused (a *Refusal). It connects to nothing, and promises nothing for later: the
// Transport checks each connection.
func (p Policy) Reach(ctx context.Context, resolver *net.Resolver, raw string) error {
	_, fault, refusal := p.CheckURL(raw)
	if fault != "" {
		return errors.New(fault)
	}
	if refusal != nil {
		return refusal
	}
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("must be a URL")
	}
	port, _ := portOf(u)
	if address, _ := literal(u.Hostname()); address.IsValid() {
		return nil // CheckURL has checked it
	}
	addresses, err := resolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil || len(addresses) == 0 {
		return fmt.Errorf("the host %s does not resolve to an address at the moment", u.Hostname())
	}
	for _, address := range addresses {
		if refusal = p.Check(netip.AddrPortFrom(address, port)); refusal == nil {
			return nil
		}
	}
	return refusal
}
