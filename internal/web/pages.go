package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"itemcast/internal/account"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/problem"
	"itemcast/internal/token"
	"itemcast/internal/workflow"
)

// Services are what the pages for people who are signed in call. Each method authorizes the request's actor.
type Services struct {
	Items     *item.Service
	Hooks     *hook.Service
	Tokens    *token.Service
	Workflows *workflow.Service
	Users     *account.Directory
	Cursor    func() string // of the end of the log, as far as this node has read it

	// Recent returns the newest changes that pass a filter; see live.Hub.
	Recent func(ctx context.Context, filter *item.Filter, kinds []live.Kind) ([]*live.Event, string, error)
}

// Config is what Pages need beside the services.
type Config struct {
	Services
	PublicURL string

	// Admit returns a request with its user in the context, and an error if the user may not use the pages.
	Admit func(http.ResponseWriter, *http.Request) (*http.Request, error)
	// Receive adds the file of a form to an item while the browser sends it: as an asset, or as a snapshot.
	Receive func(w http.ResponseWriter, r *http.Request, item uuid.UUID, isSnapshot bool) error
	// Explain returns what a user sees of an error, and logs the rest.
	Explain func(*http.Request, error) *problem.Error
}

// Pages are the pages for people who are signed in. Each method returns the handler of an address; a page is a file.
type Pages struct {
	Config
	root     string // the path of the public URL, with a slash at its end
	icon     string
	notices  string
	bundle   bundle
	isBuilt  bool
	isSecure bool // browsers send cookies over https only
	rows     rowCache
	parts    partCache
	views    *lru.Cache[string, keptViews] // by user
}

// NewPages returns the pages.
func NewPages(c Config) *Pages {
	m, err := readManifest(built())
	app, listed := m.Pages["app"]
	return &Pages{Config: c, root: rootOf(c.PublicURL), icon: m.Icon, notices: m.Notices, bundle: app,
		isBuilt: err == nil && listed, isSecure: isHTTPS(c.PublicURL), rows: newRowCache(),
		parts: newPartCache(), views: newCache[string, keptViews](maxKeptViews)}
}

// maxPageForm bounds a form of these pages, in bytes: a description and the metadata, escaped for a URL.
const maxPageForm = 1 << 20

// serve serves an address to people who are signed in; post is nil for one that takes no form. Package server refuses a
// browser's cross-origin POSTs.
func (p *Pages) serve(get, post func(*call) error) http.Handler {
	if post == nil {
		return p.serveBody(get, nil)
	}
	return p.serveBody(get, func(c *call) error {
		if err := c.readForm(); err != nil {
			return err
		}
		return post(c)
	})
}

// serveBody is serve for forms with files: post reads the body.
func (p *Pages) serveBody(get, post func(*call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := p.newCall(w, r)
		do := get
		switch r.Method {
		case http.MethodGet, http.MethodHead:
		case http.MethodPost:
			do = post
		default:
			do = nil
		}
		if do == nil {
			w.Header().Set("Allow", "GET, HEAD")
			if post != nil {
				w.Header().Set("Allow", "GET, HEAD, POST")
			}
			c.fail(problem.New(problem.MethodNotAllowed, "This page does not take %s.", r.Method))
			return
		}
		if err := c.admit(); err != nil {
			c.refuse(err)
			return
		}
		if err := do(c); err != nil {
			c.fail(err)
		}
	})
}

// errTooLarge is the error for a form above the limit.
func errTooLarge(limit int64) error {
	return problem.New(problem.TooLarge, "The form has more than %s. Send a shorter one.", fmt.Sprintf("%d bytes", limit))
}
