package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxForm bounds a form, in bytes.
const maxForm = 16 << 10

// formPolicy is a Content-Security-Policy that allows forms to this server only, and no script.
const formPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; " +
	"frame-ancestors 'none'"

// formPage serves a page by get and takes its form by post. Package server refuses a browser's cross-origin POSTs.
func formPage(get, post http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			get(w, r)
		case http.MethodPost:
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			err := r.ParseForm()
			if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
				http.Error(w, fmt.Sprintf("The form has more than %d bytes. Send a shorter one.", tooLarge.Limit),
					http.StatusRequestEntityTooLarge)
				return
			}
			if err != nil {
				http.Error(w, "The form is not valid, or did not arrive in full. Send it again.", http.StatusBadRequest)
				return
			}
			post(w, r)
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "This page takes GET, HEAD and POST only.", http.StatusMethodNotAllowed)
		}
	})
}

func redirect(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// localPath returns the address of a URL on this server; home for any other text. Browsers read \ as /, ignore control
// characters, and read //x as another host.
func localPath(next, home string) string {
	u, err := url.Parse(next)
	isForeign := err != nil || u.Scheme != "" || u.Host != "" || u.User != nil ||
		!strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//")
	if isForeign || strings.ContainsFunc(next, func(c rune) bool { return c == '\\' || c < ' ' || c == 0x7f }) {
		return home
	}
	return next
}
