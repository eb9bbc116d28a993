// Package core is the REST API of openapi/core.yaml.
//
// A handler decodes the request, calls one method of a service, and encodes the result. Package contract checks a
// request before it reaches a handler, and writes the errors that handlers return. The package must not know SQL, and
// must not check permissions: services do.
package core

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/change"
	"itemcast/internal/contract"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/media"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
	"itemcast/internal/token"
	"itemcast/internal/upload"
	"itemcast/internal/upload/attach"
	"itemcast/internal/workflow"
)

// API implements the operations of openapi/core.yaml.
type API struct {
	Account   *account.Service
	SignIn    *signin.Service
	Items     *item.Service
	Media     *media.Service
	Hooks     *hook.Service
	Tokens    *token.Service
	Workflows *workflow.Service
	Attach    *attach.Service
	Uploads   *upload.Service
	Hub       *live.Hub
	Problems  *contract.Problems
	PublicURL string // the base of absolute URLs, without a trailing slash

	// Cursor returns the cursor of a position.
	Cursor func(change.Position) string
	// Identify authenticates a request again, with its user's current permissions.
	Identify func(*http.Request) (context.Context, error)
	// Watch calls changed when the actor's permissions change (signin.Service.Watch).
	Watch func(actor account.Actor, changed func(error)) (stop func())
}

var _ oapi.StrictServerInterface = (*API)(nil)

const base = "/api/v1"

// Register mounts every operation on mux, inside the document's Guard. The middleware once makes POST requests
// idempotent.
func (a *API) Register(mux *http.ServeMux, document *contract.Document, once func(http.Handler) http.Handler) {
	middlewares := []oapi.StrictMiddlewareFunc{a.withReturned, withRequest} // the last is the outermost
	handler := oapi.NewStrictHandlerWithOptions(a, middlewares, oapi.StrictHTTPServerOptions{
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

// withRequest makes the request available to handlers. Links to other pages need its URL.
func withRequest(next oapi.StrictHandlerFunc, _ string) oapi.StrictHandlerFunc {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, request any) (any, error) {
		return next(context.WithValue(ctx, requestKey{}, r), w, r, request)
	}
}

func requestFrom(ctx context.Context) *http.Request { return ctx.Value(requestKey{}).(*http.Request) }

// location returns the absolute URL of a resource, for the header Location.
func (a *API) location(noun string, id uuid.UUID) *string {
	return new(a.PublicURL + base + "/" + noun + "/" + id.String())
}

func etag(current int64) *string { return new(revision.ETag(current)) }

func convert[To, From ~string](values []From) []To {
	var out []To
	for _, value := range values {
		out = append(out, To(value))
	}
	return out
}
