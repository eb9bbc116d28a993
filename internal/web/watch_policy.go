package web

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// playerPolicy returns the Content-Security-Policy of a page that plays files: from this server, and from the origins
// of the files that it names. hls.js feeds the element from a blob: URL.
func playerPolicy(frames, publicURL string, urls []string) string {
	origins := "'self'"
	for _, origin := range originsOf(publicURL, urls) {
		origins += " " + origin
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"worker-src 'self'",
		"style-src 'self'",
		"img-src " + origins,
		"media-src blob: " + origins,
		"connect-src " + origins,
		"base-uri 'none'",
		"form-action 'none'",
		frames,
	}, "; ")
}

// source is an origin as a policy names it. Text of another form could end the directive.
var source = regexp.MustCompile(`^https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]+)?$`)

// originsOf returns the origins of URLs but this server's, each once.
func originsOf(publicURL string, urls []string) (origins []string) {
	for _, address := range urls {
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		origin := strings.ToLower(u.Scheme + "://" + u.Host)
		if !strings.HasPrefix(address, publicURL+"/") && source.MatchString(origin) && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}
