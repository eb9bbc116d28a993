package token

import (
	"fmt"
	"slices"
	"strings"

	whatwg "github.com/nlnwa/whatwg-url/url"

	"itemcast/internal/problem"
)

const maxOrigin = 300 // characters

// originSchemes are the schemes of pages that send their origin: of the web, of applications in a web view (Capacitor,
// Ionic, Tauri), and of browsers' extensions.
var originSchemes = []string{"https", "http", "capacitor", "ionic", "tauri", "chrome-extension", "moz-extension",
	"safari-web-extension"}

const originForm = "must be an origin such as https://example.com or http://localhost:5173"

// normalOrigins returns the origins as browsers send them, each once.
func normalOrigins(raw []string, invalid *problem.Faults) []string {
	origins := []string{}
	if len(raw) > maxOrigins {
		invalid.At("#/origins", fmt.Sprintf("must have at most %d", maxOrigins))
		return origins
	}
	for i, text := range raw {
		origin, fault := normalOrigin(text)
		invalid.At(fmt.Sprintf("#/origins/%d", i), fault)
		if fault == "" && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// normalOrigin returns an origin as browsers write it (WHATWG URL): scheme and host in lower case, an internationalized
// host as xn--, no default port. It tolerates a slash at the end, as people copy it from the address bar.
func normalOrigin(raw string) (origin, fault string) {
	switch {
	case len(raw) > maxOrigin:
		return "", fmt.Sprintf("must have at most %d characters", maxOrigin)
	case strings.Contains(raw, "*"):
		return "", "must name one origin: there are no wildcards"
	}
	u, err := whatwg.Parse(raw)
	if err != nil || u.Host() == "" || !slices.Contains(originSchemes, u.Scheme()) {
		return "", originForm
	}
	if u.Username() != "" || u.Password() != "" || u.Pathname() != "" && u.Pathname() != "/" ||
		strings.ContainsAny(raw, "?#") {
		return "", originForm + ", without a path"
	}
	return u.Scheme() + "://" + u.Host(), ""
}
