package account

import (
	"context"
	"net/netip"
)

type addressKey struct{}

// WithAddress returns a context whose requests come from a client's address.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

// AddressFrom is the client's address; empty when the work comes from the machine itself.
func AddressFrom(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}

// network is whom an address stands for where attempts are counted: an IPv6 client has a /64 of its own, to choose addresses from.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
