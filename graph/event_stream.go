package graph

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/account"
	"itemcast/internal/eventstream"
	"itemcast/internal/problem"
)

// eventStream is the transport of graphql-sse's distinct connections mode (enisdenjo/graphql-sse, PROTOCOL.md): one request, one operation,
// one stream of `next` events and a `complete`. Beyond the protocol, each event's id is its change's cursor, and Last-Event-ID resumes, so that
// a browser's EventSource misses nothing.
type eventStream struct{ *Handler }

var _ graphql.Transport = eventStream{}

func (eventStream) Supports(r *http.Request) bool {
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",") {
		if mediaType, parameters, err := mime.ParseMediaType(part); err == nil && mediaType == eventstream.ContentType && parameters["q"] != "0" {
			return true
		}
	}
	return false
}

// Do answers what is no GraphQL request at all with a status of its own; every other fault is told by a `next` event, as the protocol has it,
// because an EventSource cannot show what came with a status.
func (t eventStream) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	raw, fault := rawParams(w, r)
	if fault != nil {
		refuse(w, plainJSON, fault)
		return
	}
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
	t.serve(eventstream.Begin(w), r, exec, raw)
}

// rawParams are the parameters of a POST's body, or of a GET's URL: EventSource knows no other method.
func rawParams(w http.ResponseWriter, r *http.Request) ([]byte, *problem.Error) {
	switch r.Method {
	case http.MethodPost:
		if !isJSON(r.Header.Get("Content-Type")) {
			return nil, problem.New(problem.UnsupportedMediaType, "Send the request as %s in UTF-8.", plainJSON)
		}
		return readBody(w, r)
	case http.MethodGet:
		return urlParams(r.URL.Query())
	}
	w.Header().Set("Allow", "GET, POST")
	return nil, problem.New(problem.MethodNotAllowed, "Send operations by POST, or subscriptions by GET.")
}

func urlParams(query url.Values) ([]byte, *problem.Error) {
	request := map[string]any{}
	for name := range query {
		switch value := query.Get(name); name {
		case "query", "operationName":
			request[name] = value
		case "variables", "extensions":
			if value == "" {
				continue
			}
			if !json.Valid([]byte(value)) {
				return nil, problem.New(problem.BadRequest, "The parameter %s must be a JSON object.", name)
			}
			request[name] = json.RawMessage(value)
		}
	}
	raw, err := json.Marshal(request)
	if err != nil || len(raw) > maxBody {
		return nil, problem.New(problem.BadRequest, "The parameters are no GraphQL request.")
	}
	return raw, nil
}

func (t eventStream) serve(out *eventstream.Writer, r *http.Request, exec graphql.GraphExecutor, raw []byte) {
	ctx := r.Context()
	fail := func(out *eventstream.Writer, err error) {
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
	switch {
	case faults != nil:
		end(faults)
	case op.Operation.Operation == ast.Subscription:
		source, after := subscription(exec, raw, op)
		if seen := r.Header.Get("Last-Event-ID"); seen != "" {
			after = seen
		}
		follower, err := t.hub.Follow(ctx, source, after)
		if err != nil {
			end(err)
			return
		}
		stream := eventstream.Stream{
			Hub:    t.hub,
			Source: source,
			SignIn: func() (context.Context, error) {
				return t.config.SignIn(ctx, r.Header.Get("Authorization"))
			},
			Watch: t.config.Watch,
			Event: "next", Checkpoint: (*eventstream.Writer).Mark, Fail: fail,
		}
		stream.Serve(ctx, out, follower)
	case r.Method != http.MethodPost:
		end(problem.New(problem.MethodNotAllowed, "A GET may subscribe only; send queries and mutations by POST."))
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
func complete(out *eventstream.Writer) { out.Event("complete", "", nil) }
