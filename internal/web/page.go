package web

import (
	"bytes"
	"html/template"
	"io/fs"
	"net/http"
	"time"
)

// noTime leaves Last-Modified out: embedded files have no time.
var noTime time.Time

// page is one HTML page. It is the same for everyone, so it is rendered once.
type page struct {
	body   []byte
	built  bool // whether its assets are there
	status int
	policy string // Content-Security-Policy
}

// view is what the templates are given.
type view struct {
	Bundle  bundle
	Icon    string
	Notices string
	Built   bool
	Data    any // of the page
}

// newPage renders templates/<name>.html with the assets of the page of that name.
func newPage(files fs.FS, name, policy string, data any) page {
	m, err := readManifest(files)
	bundle, listed := m.Pages[name]
	v := view{Bundle: bundle, Icon: m.Icon, Notices: m.Notices, Built: err == nil && listed, Data: data}

	var body bytes.Buffer
	t := template.Must(template.ParseFS(templates, "templates/head.html", "templates/"+name+".html"))
	if err := t.ExecuteTemplate(&body, name+".html", v); err != nil {
		panic(err) // the templates are constant, and the tests render each
	}
	return page{body: body.Bytes(), built: v.Built, status: http.StatusOK, policy: policy}
}

func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache") // it names assets, which change with a release
	w.WriteHeader(p.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(p.body) // fails when the client has gone
	}
}

// readOnly lets only GET and HEAD through.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "this page is only read", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}
