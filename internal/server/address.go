package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"itemcast/internal/account"
)

// withAddress puts the client's address into the request's context.
func withAddress(trusted []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(account.WithAddress(r.Context(), clientAddress(r, trusted))))
	})
}

// clientAddress returns the address of the client, without its port. Behind trusted proxies it is the last address of
// X-Forwarded-For that is not a trusted proxy's; a client may have written those before it.
func clientAddress(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := peer.Addr().Unmap()
	if len(trusted) == 0 {
		return address.String()
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(forwarded) {
		if !isTrusted(address, trusted) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			break
		}
		address = before.Unmap()
	}
	return address.WithZone("").String()
}

func isTrusted(address netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(address) })
}
