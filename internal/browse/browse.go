package browse

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"itemcast/internal/browse/spec"
	"itemcast/internal/contract"
)

// Options of the pages.
type Options struct {
	PublicURL string // the base of the URLs in the API's answers, which become links
	LoginURL  string // signs a browser in, and takes next=ADDRESS; "": browsers sign in by HTTP Basic
	LogoutURL string // signs a browser out, by POST; "" for none
	UserURL   string // shows the user who is signed in; "" for none
	Assets    Assets
	Problems  *contract.Problems // writes the failures from before the API is called
}

// Assets are the files that pages load, by their names below /assets/.
type Assets struct {
	Icon, Notices   string
	Script          string
	Styles, Preload []string
}

// Pages are the pages of one OpenAPI document. They are safe for concurrent use.
type Pages struct {
	document *spec.Document
	options  Options
	links    links
	static   map[*spec.Operation]*static // nil is the key for addresses that the document does not know
}

// New reads a document and prepares the static parts of its pages. It fails when an operationId is the id of a part of
// every page.
func New(document *contract.Document, options Options) (*Pages, error) {
	d, err := spec.Read(document.JSON(), document.Base())
	if err != nil {
		return nil, err
	}
	for _, resource := range d.Resources {
		for _, op := range resource.Operations {
			if slices.Contains(pageParts, op.ID) {
				return nil, fmt.Errorf("prepare pages: the operationId %s is the id of a part of every page", op.ID)
			}
		}
	}
	p := &Pages{document: d, options: options, links: newLinks(options.PublicURL, d)}
	p.static, err = prepare(d, options)
	return p, err
}

// pageParts are the ids of the parts of every page. All other ids begin with the id of an operation.
var pageParts = []string{
	"about", "body", "changed", "curl", "details", "filter", "fold", "headers", "live", "main", "operations", "related",
	"search", "status",
}

// Describe registers the answers to OPTIONS: the methods of a path (Allow), the types of a patch (Accept-Patch), and
// the part of the document about it.
func (p *Pages) Describe(mux *http.ServeMux) {
	for _, resource := range p.document.Resources {
		pattern := http.MethodOptions + " " + p.document.Pattern(resource)
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", resource.Allow)
			if patch := resource.Operation(http.MethodPatch); patch != nil {
				w.Header().Set("Accept-Patch", patch.BodyTypes()) // RFC 5789 §3.1
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(resource.Excerpt)))
			_, _ = w.Write(resource.Excerpt) // fails when the client is gone
		})
	}
}
