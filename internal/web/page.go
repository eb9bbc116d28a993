package web

import (
	"bytes"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"

	"itemcast/internal/publicurl"
)

// page is the template of an HTML page, with the files that it loads.
type page struct {
	template *template.Template
	name     string
	view     view
	policy   string // Content-Security-Policy
}

// view is what the templates are executed with.
type view struct {
	Root    string // the path of the public URL, with a slash at its end
	Bundle  bundle
	Icon    string
	Notices string
	Built   bool // the files exist
	Data    any  // of the page
}

// newPage prepares templates/<name>.html with the files of an entry in the manifest. Its addresses are below the path
// of the public URL.
func newPage(files fs.FS, publicURL, name, entry, policy string) page {
	m, err := readManifest(files)
	bundle, listed := m.Pages[entry]
	return page{
		template: template.Must(template.ParseFS(templates,
			"templates/head.html", "templates/form.html", "templates/"+name+".html")),
		name:   name + ".html",
		view:   view{Root: rootOf(publicURL), Bundle: bundle, Icon: m.Icon, Notices: m.Notices, Built: err == nil && listed},
		policy: policy,
	}
}

// rootOf returns the path of the public URL, with a slash at its end.
func rootOf(publicURL string) string { return publicurl.Path(publicURL) + "/" }

func (p page) render(data any) []byte {
	shown := p.view
	shown.Data = data
	var body bytes.Buffer
	if err := p.template.ExecuteTemplate(&body, p.name, shown); err != nil {
		panic(err) // the templates are constant, and the tests render each
	}
	return body.Bytes()
}

// writeForUser answers with a page that depends on the browser's session, and must not be cached.
func (p page) writeForUser(w http.ResponseWriter, r *http.Request, status int, data any) {
	w.Header().Set("Vary", "Cookie")
	w.Header().Set("Cache-Control", "no-store")
	p.write(w, r, status, p.render(data))
}

func (p page) write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	writeHTML(w, r, status, p.policy, body)
}

// writeHTML answers with a page, under a Content-Security-Policy. HEAD gets the same header as GET, length included
// (RFC 9110, section 9.3.2).
func writeHTML(w http.ResponseWriter, r *http.Request, status int, policy string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // fails when the client is gone
	}
}

// readOnly refuses all methods but GET and HEAD.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This page takes GET and HEAD only.", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}
