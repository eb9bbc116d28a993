package graph

import (
	"cmp"
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/account"
	"itemcast/internal/live/sse"
)

// eventStream is the transport of graphql-sse's distinct connections mode (enisdenjo/graphql-sse, PROTOCOL.md): one request, one operation,
// one stream of `next` events and a `complete`. Beyond the protocol, each event's id is its change's cursor, and Last-Event-ID resumes, so that
// a browser's EventSource misses nothing.
type eventStream struct{ *Handler }

var _ graphql.Transport = eventStream{}

// Supports takes a request whose client would rather have a stream than a plain answer, even to a query.
func (eventStream) Supports(r *http.Request) bool {
	accepts := negotiate(r.Header.Values("Accept"))
	return accepts.stream > accepts.weight
}

// Do answers what is no GraphQL request at all with a status of its own; every other fault is told by a `next` event, as the protocol has it,
// because an EventSource cannot show what came with a status.
func (t eventStream) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	raw, fault := rawParams(w, r)
	if fault != nil {
		refuse(w, plainJSON, fault)
		return
	}
	t.answer(w, r, exec, raw)
}

// answer answers a request with the stream of its operation.
func (t eventStream) answer(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, raw []byte) {
	actor, err := account.Authorize(r.Context())
	if err != nil {
		Refuse(w, r, err)
		return
	}
	leave, err := t.hub.Admit(actor)
	if err != nil {
		Refuse(w, r, err)
		return
	}
	defer leave()
	t.serve(sse.Begin(w), r, exec, raw)
}

func (t eventStream) serve(out *sse.Writer, r *http.Request, exec graphql.GraphExecutor, raw []byte) {
	ctx := r.Context()
	fail := func(out *sse.Writer, err error) {
		out.Event("next", "", encode(&graphql.Response{Errors: t.refusals(ctx, err)}))
		complete(out)
	}
	end := func(err error) {
		fail(out, err)
		_ = out.Flush()
	}
	params, fault := decodeParams(raw)
	if fault != nil {
		end(fault)
		return
	}
	params.Headers = r.Header
	op, faults := exec.CreateOperationContext(ctx, params)
	if faults != nil {
		end(faults)
		return
	}
	fault = changesByGet(r, op)
	switch {
	case fault != nil:
		end(fault)
	case op.Operation.Operation == ast.Subscription:
		source, follower, err := t.follow(ctx, exec, raw, op, func(after string) string {
			return cmp.Or(r.Header.Get("Last-Event-ID"), after)
		})
		if err != nil {
			end(err)
			return
		}
		stream := sse.Stream{
			Hub:    t.hub,
			Source: source,
			SignIn: func() (context.Context, error) {
				return t.config.SignIn(ctx, r.Header)
			},
			Watch: t.config.Watch,
			Event: "next", Checkpoint: checkpoints(r), Fail: fail,
		}
		stream.Serve(ctx, out, follower)
	default:
		responses, ctx := exec.DispatchOperation(ctx, op)
		if response := responses(ctx); response != nil {
			out.Event("next", "", encode(response))
		}
		complete(out)
		_ = out.Flush()
	}
}

// complete has no data by the protocol; an EventSource passes over events without any, so it gets an empty line of it, as the reference does.
func complete(out *sse.Writer) { out.Event("complete", "", nil) }

// checkpoints tells cursors in the form that the client understands. An EventSource, which is who subscribes by GET, passes over events of
// types that it does not listen to; the parser of graphql-sse, which sends a POST, ends the operation at any type but its own two.
func checkpoints(r *http.Request) func(*sse.Writer, string) {
	if r.Method == http.MethodGet {
		return (*sse.Writer).Checkpoint
	}
	return (*sse.Writer).Mark
}
