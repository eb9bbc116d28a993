package account

import "context"

type addressKey struct{}

// WithAddress returns a context for a request from a client's IP address.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

// AddressFrom returns the client's IP address, or "" for work that no request causes.
func AddressFrom(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}
