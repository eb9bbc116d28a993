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
	itemFilter      = model.ItemFilter
	auditFilter     = model.AuditFilter
	userFilter      = model.UserFilter
	createUserInput = model.CreateUserInput
	updateUserInput = model.UpdateUserInput
	itemSort        = item.Sort
)

// queryLimit refuses longer queries, which are kept in memory for those who send them again.
type queryLimit int

var _ interface {
	graphql.OperationParameterMutator
	graphql.HandlerExtension
} = queryLimit(0)

func (queryLimit) ExtensionName() string                          { return "QueryLimit" }
func (queryLimit) Validate(schema graphql.ExecutableSchema) error { return nil }

func (q queryLimit) MutateOperationParameters(_ context.Context, request *graphql.RawParams) *gqlerror.Error {
	if len(request.Query) <= int(q) {
		return nil
	}
	return &gqlerror.Error{
		Message:    fmt.Sprintf("The query has %d bytes; at most %d are allowed. Values belong in variables.", len(request.Query), int(q)),
		Extensions: map[string]any{"code": "QUERY_TOO_LONG"},
	}
}

// sizeLimit refuses operations that select more fields, or deeper, with every fragment spread. Each fragment is measured once, however
// often it is spread: a query of two kilobytes can spread into more fields than there are atoms. Introspection's depth is exempt: it is the
// schema's, and tools' queries are deep.
type sizeLimit struct{ fields, depth int }

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = sizeLimit{}

func (sizeLimit) ExtensionName() string                          { return "SizeLimit" }
func (sizeLimit) Validate(schema graphql.ExecutableSchema) error { return nil }

func (l sizeLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	size := measure(op.Operation.SelectionSet, map[*ast.FragmentDefinition]extent{})
	if size.fields > l.fields {
		return &gqlerror.Error{
			Message:    fmt.Sprintf("The operation selects more than %d fields.", l.fields),
			Extensions: map[string]any{"code": "SIZE_LIMIT_EXCEEDED"},
		}
	}
	if size.depth > l.depth {
		return &gqlerror.Error{
			Message:    fmt.Sprintf("The operation selects %d levels deep; at most %d are allowed.", size.depth, l.depth),
			Extensions: map[string]any{"code": "DEPTH_LIMIT_EXCEEDED"},
		}
	}
	return nil
}

// extent is how many fields a selection has, up to manyFields, and how deep.
type extent struct{ fields, depth int }

const manyFields = 1 << 20

// measure ends because validation has refused fragments that spread themselves.
func measure(selections ast.SelectionSet, known map[*ast.FragmentDefinition]extent) (total extent) {
	for _, selection := range selections {
		var one extent
		switch s := selection.(type) {
		case *ast.Field:
			one = measure(s.SelectionSet, known)
			one.fields++
			if one.depth++; s.Name == "__schema" || s.Name == "__type" {
				one.depth = 0
			}
		case *ast.InlineFragment:
			one = measure(s.SelectionSet, known)
		case *ast.FragmentSpread:
			var ok bool
			if one, ok = known[s.Definition]; !ok {
				one = measure(s.Definition.SelectionSet, known)
				known[s.Definition] = one
			}
		}
		total = extent{min(manyFields, total.fields+one.fields), max(total.depth, one.depth)}
	}
	return total
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
