// Package origin brings the origins of pages into the form in which browsers send them. Access tokens and uploads name
// the origins that may use them. The package must not know what an origin may do.
package origin

import (
	"fmt"
	"slices"
	"strings"

	whatwg "github.com/nlnwa/whatwg-url/url"

	"itemcast/internal/problem"
)

// Max is the maximum number of origins in a list.
const Max = 20

const maxLength = 300 // characters

// schemes are the schemes of pages that send their origin: of the web, of applications in a web view (Capacitor, Ionic,
// Tauri), and of browsers' extensions.
var schemes = []string{"https", "http", "capacitor", "ionic", "tauri", "chrome-extension", "moz-extension",
	"safari-web-extension"}

const form = "must be an origin such as https://example.com or http://localhost:5173"

// Normalize returns the origins as browsers send them, each once. pointer is the place of the list.
func Normalize(raw []string, pointer string, invalid *problem.Faults) []string {
	origins := []string{}
	if len(raw) > Max {
		invalid.At(pointer, fmt.Sprintf("must have at most %d", Max))
		return origins
	}
	for i, text := range raw {
		origin, fault := normal(text)
		invalid.At(fmt.Sprintf("%s/%d", pointer, i), fault)
		if fault == "" && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// normal returns an origin as browsers write it (WHATWG URL): scheme and host in lower case, an internationalized host
// as xn--, no default port. It tolerates a slash at the end, as people copy it from the address bar.
func normal(raw string) (origin, fault string) {
	switch {
	case len(raw) > maxLength:
		return "", fmt.Sprintf("must have at most %d characters", maxLength)
	case strings.Contains(raw, "*"):
		return "", "must name one origin: there are no wildcards"
	}
	u, err := whatwg.Parse(raw)
	if err != nil || u.Host() == "" || !slices.Contains(schemes, u.Scheme()) {
		return "", form
	}
	if u.Username() != "" || u.Password() != "" || u.Pathname() != "" && u.Pathname() != "/" ||
		strings.ContainsAny(raw, "?#") {
		return "", form + ", without a path"
	}
	return u.Scheme() + "://" + u.Host(), ""
}
