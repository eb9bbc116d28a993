// Package bearer reads the credentials of RFC 6750, and says how to challenge a client that came with wrong ones. It
// must not know what a secret means.
package bearer

import (
	"net/http"
	"strings"
)

// Parameter is the parameter of a URL in which a client may send a secret that cannot send headers, such as a browser's
// EventSource (RFC 6750 §2.3).
const Parameter = "access_token"

const scheme = "Bearer "

// Secret returns the secret in a value of the header Authorization; ok is false for another scheme (RFC 9110 §11.1:
// the case of a scheme does not count).
func Secret(authorization string) (secret string, ok bool) {
	if len(authorization) < len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return "", strings.EqualFold(authorization, strings.TrimSpace(scheme))
	}
	return strings.TrimSpace(authorization[len(scheme):]), true
}

// Authorization returns the value of the header for a secret.
func Authorization(secret string) string { return scheme + secret }

// In reports whether a request comes with a secret, whether or not that is right.
func In(header http.Header) bool {
	for _, authorization := range header["Authorization"] {
		if _, ok := Secret(authorization); ok {
			return true
		}
	}
	return false
}

// Challenge returns the header WWW-Authenticate for a request that lacks valid credentials (RFC 6750 §3, RFC 7617).
func Challenge(header http.Header) string {
	if In(header) {
		return `Bearer realm="Itemcast", error="invalid_token"`
	}
	return `Basic realm="Itemcast", charset="UTF-8"`
}
