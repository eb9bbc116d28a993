package account

import "context"

type addressKey struct{}

// WithAddress returns a context with a client's IP address.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

// AddressFrom returns the client's IP address; "" for work outside a request.
func AddressFrom(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}
