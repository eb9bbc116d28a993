package graph

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/graph/internal/model"
	"itemcast/internal/item"
)

type (
	itemFilter = model.ItemFilter
	itemSort   = item.Sort
)

// depthLimit refuses operations that select deeper. Introspection is exempt: its depth is the schema's, and tools' queries are deep.
type depthLimit int

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = depthLimit(0)

func (depthLimit) ExtensionName() string                          { return "DepthLimit" }
func (depthLimit) Validate(schema graphql.ExecutableSchema) error { return nil }

func (d depthLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if depth := depthOf(op.Operation.SelectionSet); depth > int(d) {
		return &gqlerror.Error{
			Message:    fmt.Sprintf("The operation selects %d levels deep; at most %d are allowed.", depth, int(d)),
			Extensions: map[string]any{"code": "DEPTH_LIMIT_EXCEEDED"},
		}
	}
	return nil
}

// oneStream refuses subscriptions of more or other than one field (GraphQL specification, October 2021, §5.2.3.1), which gqlparser does not.
type oneStream struct{}

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = oneStream{}

func (oneStream) ExtensionName() string                          { return "OneStream" }
func (oneStream) Validate(schema graphql.ExecutableSchema) error { return nil }

func (oneStream) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if op.Operation.Operation != ast.Subscription {
		return nil
	}
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) == 1 && !strings.HasPrefix(fields[0].Name, "__") {
		return nil
	}
	err := &gqlerror.Error{Message: "A subscription must select exactly one field, and not one of introspection."}
	errcode.Set(err, errcode.ValidationFailed)
	return err
}

// depthOf ends because validation has refused fragments that spread themselves.
func depthOf(selections ast.SelectionSet) int {
	deepest := 0
	for _, selection := range selections {
		depth := 0
		switch s := selection.(type) {
		case *ast.Field:
			if s.Name != "__schema" && s.Name != "__type" {
				depth = 1 + depthOf(s.SelectionSet)
			}
		case *ast.InlineFragment:
			depth = depthOf(s.SelectionSet)
		case *ast.FragmentSpread:
			depth = depthOf(s.Definition.SelectionSet)
		}
		deepest = max(deepest, depth)
	}
	return deepest
}
