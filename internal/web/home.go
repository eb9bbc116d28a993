package web

import (
	"io/fs"
	"net/http"
	"strings"
)

type homeData struct {
	PublicURL string
	User      string // e-mail address; "" when nobody is signed in
}

func newHome(files fs.FS, publicURL string, userOf func(*http.Request) string) http.Handler {
	home := newPage(files, publicURL, "home", "home", formPolicy) // it has a form to sign out
	base := strings.TrimRight(publicURL, "/")
	return readOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		home.writeForUser(w, r, http.StatusOK, homeData{PublicURL: base, User: userOf(r)})
	}))
}
