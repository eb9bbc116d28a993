package graph

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/internal/live"
	"itemcast/internal/problem"
)

// maxSubscription is how large the request of a subscription may be, in bytes: it is kept for as long as anybody follows it.
const maxSubscription = 64 << 10

// follow joins those who follow what an operation asks for, from where it asks, or as begin has it.
func (h *Handler) follow(ctx context.Context, exec graphql.GraphExecutor, raw []byte, op *graphql.OperationContext, begin func(after string) string) (
	live.Source, *live.Follower, error) {
	if len(raw) > maxSubscription {
		return live.Source{}, nil, problem.New(problem.TooLarge, "The request of a subscription may have %d KiB.", maxSubscription>>10)
	}
	source, after := h.subscription(exec, raw, op)
	follower, err := h.hub.Follow(ctx, source, begin(after))
	return source, follower, err
}

// subscription makes of an operation what all can follow who ask for the same, wherever in the log they begin: gqlgen executes it once, and
// each event is rendered once. The seam is the channel that gqlgen gets from the resolver: a tap in the context takes the resolver's
// live.Subscription, and hands gqlgen one event for each response that it is asked for. So all that gqlgen does (validation, arguments,
// aliases, fragments, directives, errors) it does as ever.
//
// Raw is the operation's parameters as they came. They are decoded for every opening, as gqlgen writes into what it is given. The query is
// the one that was meant, should it have come as the hash of a persisted one, which may be forgotten by then.
func (h *Handler) subscription(exec graphql.GraphExecutor, raw []byte, op *graphql.OperationContext) (source live.Source, after string) {
	after, shared := position(op)
	query := op.RawQuery
	return live.Source{Key: key(op, shared), Open: func(ctx context.Context, after string) (*live.Subscription, live.Render, error) {
		params, fault := decodeParams(raw)
		if fault != nil {
			return nil, nil, fault
		}
		params.Query, params.Extensions = query, nil
		return h.open(ctx, exec, params, after)
	}}, after
}

// position is where an operation begins to follow, and the name of the variable that says so, if that says nothing else.
func position(op *graphql.OperationContext) (after, variable string) {
	field := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})[0] // oneStream has seen that there is one
	after, _ = field.ArgumentMap(op.Variables)["after"].(string)                               // what is no text, the execution refuses
	argument := field.Arguments.ForName("after")
	if argument == nil || argument.Value.Kind != ast.Variable {
		return after, ""
	}
	name := argument.Value.Raw
	if uses := regexp.MustCompile(`\$`+name+`\b`).FindAllStringIndex(op.RawQuery, 3); len(uses) != 2 { // its definition, and this
		return after, ""
	}
	return after, name
}

// key is equal for operations that are told the same.
func key(op *graphql.OperationContext, but string) string {
	variables := make(map[string]any, len(op.Variables))
	for name, value := range op.Variables {
		if name != but {
			variables[name] = value
		}
	}
	hash := sha256.New()
	_ = json.NewEncoder(hash).Encode([]any{op.RawQuery, op.OperationName, variables}) // all of it came as JSON
	return "graphql " + string(hash.Sum(nil))
}

// tap takes a subscription's events from the resolver.
type tap struct {
	after        string
	subscription *live.Subscription // once the resolver has been called and refuses nothing
	events       chan *live.Event
}

type tapKey struct{}

func tapFrom(ctx context.Context) *tap { return ctx.Value(tapKey{}).(*tap) }

// take makes the tap the source of what gqlgen executes.
func (t *tap) take(s *live.Subscription) <-chan *live.Event {
	t.subscription, t.events = s, make(chan *live.Event, 1)
	return t.events
}

// open executes a subscription after a cursor.
func (h *Handler) open(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams, after string) (*live.Subscription, live.Render, error) {
	t := &tap{after: after}
	ctx = graphql.StartOperationTrace(context.WithValue(ctx, tapKey{}, t))
	op, faults := exec.CreateOperationContext(ctx, params)
	if faults != nil {
		return nil, nil, faults
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	if t.subscription == nil {
		if response := responses(ctx); response != nil && len(response.Errors) > 0 {
			return nil, nil, response.Errors
		}
		return nil, nil, errors.New("a subscription was executed without its resolver")
	}
	return t.subscription, func(e *live.Event) (body []byte, err error) {
		defer func() { // a panic would be the end of everybody
			if cause := recover(); cause != nil {
				h.config.Log.Error("rendering an event panicked", "cause", cause, "stack", string(debug.Stack()))
				err = fmt.Errorf("rendering an event panicked: %v", cause)
			}
		}()
		t.events <- e
		response := responses(ctx)
		if response == nil {
			return nil, fmt.Errorf("a subscription ended while an event was rendered: %w", context.Cause(ctx))
		}
		return encode(response), nil
	}, nil
}

// encode writes a response. Its data is written as it was rendered, without another pass over it.
func encode(response *graphql.Response) []byte {
	var out bytes.Buffer
	out.Grow(len(response.Data) + len(`{"data":}`))
	out.WriteByte('{')
	if len(response.Errors) > 0 {
		out.WriteString(`"errors":`)
		out.Write(encodeErrors(response.Errors))
	}
	if len(response.Data) > 0 {
		if len(response.Errors) > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`"data":`)
		out.Write(response.Data)
	}
	if len(response.Extensions) > 0 {
		if raw, err := json.Marshal(response.Extensions); err == nil {
			out.WriteString(`,"extensions":`)
			out.Write(raw)
		}
	}
	out.WriteByte('}')
	return out.Bytes()
}

func encodeErrors(list gqlerror.List) []byte {
	raw, err := json.Marshal(list)
	if err != nil {
		return []byte(`[{"message":"The errors cannot be shown.","extensions":{"code":"INTERNAL"}}]`)
	}
	return raw
}

// refusals are the errors that an operation ends with.
func (h *Handler) refusals(ctx context.Context, err error) gqlerror.List {
	if list, ok := errors.AsType[gqlerror.List](err); ok {
		return list
	}
	return gqlerror.List{presentLogged(ctx, h.config.Log, err)}
}
