package web

import (
	"io/fs"
	"net/http"
	"strings"
)

type homeData struct {
	PublicURL string
	Who       string // is signed in; "": nobody is
}

func newHome(files fs.FS, publicURL string, who func(*http.Request) string) http.Handler {
	shown := newTemplate(files, "home", "home", formPolicy) // with the form that signs out
	base := strings.TrimRight(publicURL, "/")
	return readOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown.write(w, r, http.StatusOK, homeData{PublicURL: base, Who: who(r)})
	}))
}
