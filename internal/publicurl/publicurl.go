// Package publicurl divides the server's public URL, such as https://example.com/hub, into its origin and its path.
//
// A proxy may pass on the path of a request as it is, or without the path of the public URL. Both work: package server
// restores the path, so that all others see the address that clients use.
package publicurl

import (
	"net/url"
	"strings"
)

// Origin returns the scheme and the host: "https://example.com"; "" for a text that has none.
func Origin(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Path returns the path without a slash at its end: "/hub"; "" for none.
func Path(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}
