// Package core is the REST API: thin handlers over the services, behind the contract.
//
// A handler decodes, calls one service method, and encodes. What reaches it has passed package contract; what it returns as an error is
// shown by contract.Problems. It must not know SQL, nor decide who may do what.
package core

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/change"
	"itemcast/internal/contract"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/workflow"
)

// API implements the operations of openapi/core.yaml.
type API struct {
	Account   *account.Service
	SignIn    *signin.Service
	Items     *item.Service
	Hooks     *hook.Service
	Workflows *workflow.Service
	Hub       *live.Hub
	Cursor    func(change.Position) string
	Identify  func(*http.Request) (context.Context, error)                 // signs a request's user in again, as the user is now
	Watch     func(actor account.Actor, changed func(error)) (stop func()) // signin.Service.Watch
	PublicURL string                                                       // the base of absolute URLs, without a trailing slash
	Problems  *contract.Problems
}

var _ oapi.StrictServerInterface = (*API)(nil)

const base = "/api/v1"

// Register mounts every operation on mux, behind the document's guard; once is what makes POST requests idempotent.
func (a *API) Register(mux *http.ServeMux, document *contract.Document, once func(http.Handler) http.Handler) {
	handler := oapi.NewStrictHandlerWithOptions(a, []oapi.StrictMiddlewareFunc{withRequest}, oapi.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  a.Problems.WriteUndecodable,
		ResponseErrorHandlerFunc: a.Problems.Write,
	})
	oapi.HandlerWithOptions(handler, oapi.StdHTTPServerOptions{
		BaseURL:          document.Base(),
		BaseRouter:       document.Guard(mux, contract.Options{Problems: a.Problems}),
		ErrorHandlerFunc: a.Problems.WriteUndecodable,
		Middlewares:      []oapi.MiddlewareFunc{once},
	})
}

type requestKey struct{}

// withRequest lets handlers see the request's URL, for links to other pages.
func withRequest(next oapi.StrictHandlerFunc, _ string) oapi.StrictHandlerFunc {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, request any) (any, error) {
		return next(context.WithValue(ctx, requestKey{}, r), w, r, request)
	}
}

func requestFrom(ctx context.Context) *http.Request { return ctx.Value(requestKey{}).(*http.Request) }

// pageURL is the request's URL with another position in the list.
func (a *API) pageURL(r *http.Request, parameter, cursor string) *string {
	query := r.URL.Query()
	query.Del("after")
	query.Del("before")
	query.Set(parameter, cursor)
	page := a.PublicURL + (&url.URL{Path: r.URL.Path, RawQuery: query.Encode()}).String()
	return &page
}

// setLinks sets the Link header (RFC 8288).
func setLinks(w http.ResponseWriter, next, previous *string) {
	if next != nil {
		w.Header().Add("Link", "<"+*next+`>; rel="next"`)
	}
	if previous != nil {
		w.Header().Add("Link", "<"+*previous+`>; rel="prev"`)
	}
}

// nextURL is the request's URL that goes on at a place in the list; nil at its end.
func (a *API) nextURL(ctx context.Context, next string) *string {
	if next == "" {
		return nil
	}
	return a.pageURL(requestFrom(ctx), "after", next)
}

// writePage writes a page of a list that is read one way.
func writePage(w http.ResponseWriter, next *string, page any) error {
	setLinks(w, next, nil)
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(page)
}

func limitOf(limit *int32) int {
	if limit == nil {
		return defaultPage
	}
	return int(*limit)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
