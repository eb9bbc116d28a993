package transport

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/live"
	"itemcast/internal/problem"
)

// maxSubscription limits a subscription's request, in bytes. The request stays in memory while the subscription has
// followers.
const maxSubscription = 64 << 10

// follow joins the followers of an operation. startAfter returns the cursor to begin after, given the operation's own.
func (s *Server) follow(
	ctx context.Context, exec graphql.GraphExecutor, raw []byte, op *graphql.OperationContext,
	startAfter func(after string) string,
) (live.Source, *live.Follower, error) {
	if len(raw) > maxSubscription {
		return live.Source{}, nil, problem.New(problem.TooLarge,
			"The request of a subscription may have at most %d KiB. Use fewer ids or a shorter query.", maxSubscription>>10)
	}
	source, after := s.subscription(exec, raw, op)
	follower, err := s.Hub.Follow(ctx, source, startAfter(after))
	return source, follower, err
}

// subscription returns the source of an operation. All clients with the same operation share it, wherever in the log
// they begin: gqlgen executes the operation once and renders each event once. The link is the channel that the resolver
// returns to gqlgen. A Tap in the context takes the resolver's live.Subscription, and sends gqlgen one event for each
// response. So gqlgen still handles validation, arguments, aliases, fragments, directives and errors.
//
// raw holds the operation's parameters as received. They are decoded for each opening, because gqlgen modifies them.
// The query comes from op: a request may name a persisted query by its hash, and the cache may have dropped it by then.
func (s *Server) subscription(
	exec graphql.GraphExecutor, raw []byte, op *graphql.OperationContext,
) (source live.Source, after string) {
	after, variable := cursorOf(op)
	query := op.RawQuery
	open := func(ctx context.Context, after string) (*live.Subscription, live.Render, error) {
		params, fault := decodeParams(raw)
		if fault != nil {
			return nil, nil, fault
		}
		params.Query, params.Extensions = query, nil
		return s.open(ctx, exec, raw, params, after)
	}
	return live.Source{Key: sourceKey(op, variable), Open: open}, after
}

// cursorOf returns the cursor that an operation begins after, and the name of the variable that holds it, if that
// variable is used for nothing else.
func cursorOf(op *graphql.OperationContext) (after, variable string) {
	// The handler refuses subscriptions of more or less than one field.
	field := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})[0]
	after, _ = field.ArgumentMap(op.Variables)["after"].(string) // the execution refuses a value that is not a string
	argument := field.Arguments.ForName("after")
	if argument == nil || argument.Value.Kind != ast.Variable {
		return after, ""
	}
	name := argument.Value.Raw
	uses := regexp.MustCompile(`\$`+name+`\b`).FindAllStringIndex(op.RawQuery, 3)
	if len(uses) != 2 { // its definition, and this argument
		return after, ""
	}
	return after, name
}

// sourceKey is equal for operations with equal events. The variable that holds the cursor does not count.
func sourceKey(op *graphql.OperationContext, cursorVariable string) string {
	variables := make(map[string]any, len(op.Variables))
	for name, value := range op.Variables {
		if name != cursorVariable {
			variables[name] = value
		}
	}
	hash := sha256.New()
	// All of it was decoded from JSON, so it can be encoded.
	_ = json.NewEncoder(hash).Encode([]any{op.RawQuery, op.OperationName, variables})
	return "graphql " + string(hash.Sum(nil))
}

// Tap connects a resolver's live.Subscription with the execution that renders its events. It belongs to one goroutine.
type Tap struct {
	After string // the cursor to subscribe after; followers that share the execution may begin elsewhere

	subscription *live.Subscription // nil until the resolver has called Take
	events       chan *live.Event
}

type tapKey struct{}

// TapFrom returns the tap of a subscription's context.
func TapFrom(ctx context.Context) *Tap { return ctx.Value(tapKey{}).(*Tap) }

// Take takes the resolver's subscription, and returns the channel that the resolver returns to gqlgen.
func (t *Tap) Take(s *live.Subscription) <-chan *live.Event {
	t.subscription, t.events = s, make(chan *live.Event, 1)
	return t.events
}

// open executes a subscription after a cursor.
func (s *Server) open(
	ctx context.Context, exec graphql.GraphExecutor, raw []byte, params *graphql.RawParams, after string,
) (*live.Subscription, live.Render, error) {
	t := &Tap{After: after}
	ctx = graphql.StartOperationTrace(context.WithValue(ctx, tapKey{}, t))
	op, faults := createOperation(ctx, exec, raw, params)
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
	render := func(e *live.Event) (body []byte, err error) {
		defer func() { // a panic would end the process
			if cause := recover(); cause != nil {
				s.Log.Error("rendering an event panicked", "error", cause, "stack", string(debug.Stack()))
				err = fmt.Errorf("rendering an event panicked: %v", cause)
			}
		}()
		t.events <- e
		response := responses(ctx)
		if response == nil {
			return nil, fmt.Errorf("a subscription ended while an event was rendered: %w", context.Cause(ctx))
		}
		return encode(response), nil
	}
	return t.subscription, render, nil
}
