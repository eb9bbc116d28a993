package web

import (
	"io/fs"
	"net/http"
	"strings"
)

// playgroundPolicy is a Content-Security-Policy that allows inline styles, but no inline script. Monaco writes its
// theme into style elements, positions lines by style attributes, and has no setting for a nonce. data: is for Monaco's
// underlines and icons.
var playgroundPolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"worker-src 'self'",
	"connect-src 'self'",
	"style-src 'self' 'unsafe-inline'",
	"font-src 'self'",
	"img-src 'self' data:",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
}, "; ")

func newPlayground(files fs.FS, publicURL string) http.Handler {
	playground := newPage(files, publicURL, "playground", "playground", playgroundPolicy)
	body := playground.render(nil) // the same for everyone
	status := http.StatusOK
	if !playground.view.Built {
		status = http.StatusServiceUnavailable // the page does nothing without its script
	}
	return readOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept, Sec-Fetch-Mode") // the API has the same URL
		w.Header().Set("Cache-Control", "no-cache")      // the names of assets change with a release
		playground.write(w, r, status, body)
	}))
}
