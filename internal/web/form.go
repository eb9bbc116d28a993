package web

import (
	"bytes"
	"html/template"
	"io/fs"
	"net/http"
)

// form is a page that is rendered for each request.
type form struct {
	template *template.Template
	name     string
	view     view
	policy   string
}

// newForm prepares templates/<name>.html, with the assets of the page "form".
func newForm(files fs.FS, name string) form { return newTemplate(files, name, "form", formPolicy) }

func newTemplate(files fs.FS, name, assets, policy string) form {
	m, err := readManifest(files)
	bundle, listed := m.Pages[assets]
	return form{name: name + ".html", policy: policy,
		view:     view{Bundle: bundle, Icon: m.Icon, Notices: m.Notices, Built: err == nil && listed},
		template: template.Must(template.ParseFS(templates, "templates/head.html", "templates/"+name+".html")),
	}
}

// write answers with the page; what it shows is for this browser alone.
func (f form) write(w http.ResponseWriter, r *http.Request, status int, data any) {
	shown := f.view
	shown.Data = data
	var body bytes.Buffer
	if err := f.template.ExecuteTemplate(&body, f.name, shown); err != nil {
		panic(err) // the templates are constant, and the tests render each
	}
	p := page{body: body.Bytes(), status: status, policy: f.policy}
	w.Header().Set("Vary", "Cookie")
	p.ServeHTTP(noStore{w}, r)
}

// noStore keeps an answer out of caches.
type noStore struct{ http.ResponseWriter }

func (n noStore) WriteHeader(status int) {
	n.Header().Set("Cache-Control", "no-store")
	n.ResponseWriter.WriteHeader(status)
}
