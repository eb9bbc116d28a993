package web

import (
	"io/fs"
	"net/http"
	"strings"
)

// playgroundPolicy allows inline styles, and no inline script: Monaco writes its theme into style elements and positions
// lines with style attributes, and has no setting for a nonce. data: images are Monaco's squiggles and icons.
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

func newPlayground(files fs.FS) http.Handler {
	shown := newPage(files, "playground", playgroundPolicy, nil)
	if !shown.built {
		shown.status = http.StatusServiceUnavailable // without its script it can do nothing
	}
	return readOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept") // the same URL is the API's
		shown.ServeHTTP(w, r)
	}))
}
