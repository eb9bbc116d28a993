package browse

import (
	"net/http"

	"itemcast/internal/accept"
	"itemcast/internal/contract"
)

// Options of the pages.
type Options struct {
	PublicURL string // the base of the API's own URLs, which become links
	LoginURL  string // where a browser signs in; it is given next=ADDRESS. Empty: by HTTP Basic
	LogoutURL string // where a browser signs out, by POST. Empty: nowhere
	WhoURL    string // what there is to know of who has signed in; empty: nothing
	Assets    Assets
}

// Assets are what pages load, by their names below /assets/.
type Assets struct {
	Icon, Notices   string
	Script          string
	Styles, Preload []string
}

// API is the pages of one OpenAPI document. It is safe for concurrent use.
type API struct {
	document *document
	options  Options
	links    links
	static   map[*operation]*static // nil: for addresses that the document does not know
	finder   *http.ServeMux
}

// New reads a document, and prepares what its pages have in common.
func New(of *contract.Document, options Options) (*API, error) {
	d, err := readDocument(of.JSON(), of.Base())
	if err != nil {
		return nil, err
	}
	a := &API{document: d, options: options, links: newLinks(options.PublicURL, d), finder: http.NewServeMux()}
	for _, res := range d.resources {
		a.finder.Handle(d.pattern(res), found{res})
	}
	return a, a.prepare()
}

// found is what the finder's mux finds.
type found struct{ *resource }

func (found) ServeHTTP(http.ResponseWriter, *http.Request) {}

// find returns the resource at an address; nil for none.
func (a *API) find(r *http.Request) *resource {
	handler, _ := a.finder.Handler(r)
	hit, _ := handler.(found)
	return hit.resource
}

// Around serves the document's operations: to a browser as pages, to every other client as they are. Both go through signIn, which refuses by
// Refuse.
func (a *API) Around(signIn func(http.Handler) http.Handler, operations http.Handler) http.Handler {
	return &pages{API: a, plain: signIn(operations), watched: signIn(watch(operations))}
}

type pages struct {
	*API
	plain   http.Handler
	watched http.Handler // the same, and the visit learns of it
}

// varies is shared by all answers: nobody changes a header's values in place.
var varies = []string{"Accept"}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Vary"] = varies
	wants := accept.PrefersHTML(r.Header["Accept"])
	if r.URL.RawQuery != "" {
		whole := r
		var format string
		if r, format = cutFormat(r); format != "" {
			if wants && format == "json" {
				r = p.leadingToSignIn(r, whole)
				r.Header.Set("Accept", "*/*")
			}
			wants = format == "html"
		}
	}
	switch {
	case wants && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		p.read(w, r)
	case wants && isForm(r):
		p.submit(w, r)
	default:
		p.plain.ServeHTTP(w, r)
	}
}
