package graph

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/internal/live/sse"
	"itemcast/internal/problem"
)

// workWithin is for an operation that is no stream, as for any request: who waits longer is told to come again.
const workWithin = 45 * time.Second

// plain is the HTTP transport of one answer to one request, by the letter of the GraphQL-over-HTTP specification (GraphQL Foundation, working
// draft of 2025): gqlgen's own differs in statuses. A well-formed request gets 200 when the client takes application/json only; with
// application/graphql-response+json, a request error is 4xx.
type plain struct{ *Handler }

var _ graphql.Transport = plain{}

// Supports takes every request that is left, and answers those that cannot be served with what to do.
func (plain) Supports(*http.Request) bool { return true }

func (t plain) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	accepts := negotiate(r.Header.Values("Accept"))
	if accepts.json == "" {
		refuse(w, plainJSON, problem.New(problem.NotAcceptable, "Accept %s or %s.", graphqlJSON, plainJSON))
		return
	}
	raw, fault := rawParams(w, r)
	if fault != nil {
		refuse(w, accepts.json, fault)
		return
	}
	params, fault := decodeParams(raw)
	if fault != nil {
		refuse(w, accepts.json, fault)
		return
	}
	params.Headers = r.Header

	ctx, cancel := context.WithTimeout(r.Context(), workWithin)
	defer cancel()
	op, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		status := http.StatusOK
		if accepts.json == graphqlJSON {
			status = http.StatusBadRequest
		}
		respond(w, accepts.json, status, exec.DispatchError(graphql.WithOperationContext(ctx, op), errs))
		return
	}
	fault = changesByGet(r, op)
	switch {
	case fault != nil:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, accepts.json, fault)
	case op.Operation.Operation != ast.Subscription:
		if r.Method == http.MethodGet {
			w.Header().Set("Cache-Control", "no-store")
		}
		responses, ctx := exec.DispatchOperation(ctx, op)
		respond(w, accepts.json, http.StatusOK, responses(ctx))
	case accepts.stream > 0: // urql and others name all that they know, for whatever they ask
		eventStream(t).answer(w, r, exec, raw)
	default:
		refuse(w, accepts.json, problem.New(problem.BadRequest,
			"Subscribe over a WebSocket with the protocol graphql-transport-ws, or with Accept: %s.", sse.ContentType))
	}
}

// Refuse answers a request that does not get as far as its operation with what err is to the user.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.From(err)
	switch p.Code {
	case problem.Unauthenticated:
		w.Header().Set("WWW-Authenticate", `Basic realm="Itemcast", charset="UTF-8"`)
	case problem.Unavailable, problem.TooManyRequests:
		w.Header().Set("Retry-After", p.RetrySeconds())
	}
	w.Header().Set("Cache-Control", "no-store")
	refuse(w, cmp.Or(negotiate(r.Header.Values("Accept")).json, plainJSON), p)
}

func refuse(w http.ResponseWriter, accepted string, p *problem.Error) {
	e := &gqlerror.Error{Message: p.Detail, Extensions: map[string]any{"code": p.Code}}
	if len(p.Faults) > 0 {
		e.Extensions["errors"] = p.Faults
	}
	respond(w, accepted, p.Code.Status(), &graphql.Response{Errors: gqlerror.List{e}})
}

func respond(w http.ResponseWriter, mediaType string, status int, response *graphql.Response) {
	body := encode(response)
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
