package transport

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/live/sse"
	"itemcast/internal/problem"
)

// workTimeout bounds an operation that is not a stream, as it bounds every request. After it, the client gets 503 with
// Retry-After.
const workTimeout = 45 * time.Second

// plain is the HTTP transport of one answer to one request, as the GraphQL-over-HTTP specification says (GraphQL
// Foundation, working draft of 2025). gqlgen's own transport answers with other statuses. A well-formed request gets
// 200 if the client takes application/json only; with application/graphql-response+json, a request error gets a 4xx
// status.
type plain struct{ *Server }

var _ graphql.Transport = plain{}

// Supports accepts every request that no other transport accepts. Do answers unsuitable ones with the way to ask.
func (plain) Supports(*http.Request) bool { return true }

func (t plain) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	accepts := negotiate(r.Header.Values("Accept"))
	if accepts.json == "" {
		refuse(w, plainJSON, problem.New(problem.NotAcceptable, "Accept %s or %s.", graphqlJSON, plainJSON))
		return
	}
	raw, fault := readParams(w, r)
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

	ctx, cancel := context.WithTimeout(r.Context(), workTimeout)
	defer cancel()
	op, errs := createOperation(ctx, exec, raw, params)
	if errs != nil {
		status := http.StatusOK
		if accepts.json == graphqlJSON {
			status = http.StatusBadRequest
		}
		respond(w, accepts.json, status, exec.DispatchError(graphql.WithOperationContext(ctx, op), errs))
		return
	}
	fault = refuseMutationByGet(r, op)
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
	case accepts.sse > 0: // urql and others list every type that they know in each request
		eventStream(t).answer(w, r, exec, raw)
	default:
		refuse(w, accepts.json, problem.New(problem.BadRequest,
			"Subscribe over a WebSocket with the protocol %s, or with Accept: %s.", subprotocol, sse.ContentType))
	}
}
