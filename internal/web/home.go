package web

import (
	"io/fs"
	"net/http"
	"strings"
)

// The start page has no script at all.
const homePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func newHome(files fs.FS, publicURL string) http.Handler {
	data := struct{ PublicURL string }{strings.TrimRight(publicURL, "/")}
	return readOnly(newPage(files, "home", homePolicy, data))
}
