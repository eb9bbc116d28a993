package transport

import (
	"cmp"
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/account"
	"itemcast/internal/live/sse"
	"itemcast/internal/problem"
)

// eventStream is the transport of graphql-sse's distinct connections mode (enisdenjo/graphql-sse, PROTOCOL.md): one
// request, one operation, one stream of "next" events and a "complete". Beyond the protocol, each event's id is the
// cursor of its change and Last-Event-ID resumes, so that a browser's EventSource misses nothing.
type eventStream struct{ *Server }

var _ graphql.Transport = eventStream{}

// Supports accepts a request whose client prefers a stream to a plain response, even for a query.
func (eventStream) Supports(r *http.Request) bool {
	accepts := negotiate(r.Header.Values("Accept"))
	return accepts.sse > accepts.jsonWeight
}

// Do answers a request that is not a GraphQL request with an error status, and one that may succeed soon too (see
// sse.Hold). Every other fault is a "next" event, as the protocol says: an EventSource cannot show the body of an error
// status.
func (t eventStream) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	raw, fault := readParams(w, r)
	if fault != nil {
		refuse(w, plainJSON, fault)
		return
	}
	t.answer(w, r, exec, raw)
}

// answer answers a request with its operation's stream.
func (t eventStream) answer(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, raw []byte) {
	ctx := r.Context()
	actor, err := account.Authorize(ctx)
	if err != nil {
		Refuse(w, r, err)
		return
	}
	release, err := t.Hub.Admit(actor)
	if err != nil {
		Refuse(w, r, err)
		return
	}
	defer release()
	params, fault := decodeParams(raw)
	if fault != nil {
		t.end(ctx, sse.Begin(w), fault)
		return
	}
	params.Headers = r.Header
	op, faults := createOperation(ctx, exec, raw, params)
	if faults != nil {
		t.end(ctx, sse.Begin(w), faults)
		return
	}
	fault = refuseMutationByGet(r, op)
	switch {
	case fault != nil:
		t.end(ctx, sse.Begin(w), fault)
	case op.Operation.Operation == ast.Subscription:
		t.subscribe(w, r, exec, raw, op)
	default:
		out := sse.Begin(w)
		responses, ctx := exec.DispatchOperation(ctx, op)
		if response := responses(ctx); response != nil {
			out.Event("next", "", encode(response))
		}
		complete(out)
		_ = out.Flush()
	}
}

// subscribe sends what a subscription follows.
func (t eventStream) subscribe(
	w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, raw []byte, op *graphql.OperationContext,
) {
	ctx := r.Context()
	startAfter := func(after string) string { return cmp.Or(r.Header.Get("Last-Event-ID"), after) }
	source, follower, err := t.follow(ctx, exec, raw, op, startAfter)
	switch {
	case err != nil && problem.IsTemporary(err):
		Refuse(w, r, err)
		return
	case err != nil:
		t.end(ctx, sse.Begin(w), err)
		return
	}
	stream := sse.Stream{
		Hub:        t.Hub,
		Source:     source,
		SignIn:     func() (context.Context, error) { return t.SignIn(ctx, r) },
		Watch:      t.Watch,
		Event:      "next",
		Checkpoint: checkpoints(r),
		Fail:       func(out *sse.Writer, err error) { t.fail(ctx, out, err) },
	}
	stream.Serve(ctx, sse.Begin(w), follower)
}

// fail writes the events with which an operation ends that has failed.
func (t eventStream) fail(ctx context.Context, out *sse.Writer, err error) {
	out.Event("next", "", encode(&graphql.Response{Errors: t.presentAll(ctx, err)}))
	complete(out)
}

// end ends a stream with an error.
func (t eventStream) end(ctx context.Context, out *sse.Writer, err error) {
	t.fail(ctx, out, err)
	_ = out.Flush()
}

// complete writes the event that ends a stream. The protocol gives it no data. An EventSource ignores events without a
// data line, so the event has an empty one, as in the reference implementation.
func complete(out *sse.Writer) { out.Event("complete", "", nil) }

// checkpoints returns how to write a cursor without an event. An EventSource, which subscribes by GET, ignores events
// of types that it does not listen to. The parser of graphql-sse, which sends a POST, fails at any type but its own
// two.
func checkpoints(r *http.Request) func(*sse.Writer, string) {
	if r.Method == http.MethodGet {
		return (*sse.Writer).Checkpoint
	}
	return (*sse.Writer).Mark
}
