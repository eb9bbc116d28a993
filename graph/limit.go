package graph

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Limits of one operation: ample for queries that people write, and low enough that an attack costs little.
const (
	maxTokens     = 2_000
	maxFields     = 10_000   // with every fragment spread expanded
	maxQuery      = 32 << 10 // bytes
	maxDepth      = 12
	maxComplexity = 20_000
)

// queryLimit refuses longer queries, in bytes. The server keeps queries in memory for clients that send them again.
type queryLimit int

var _ interface {
	graphql.OperationParameterMutator
	graphql.HandlerExtension
} = queryLimit(0)

func (queryLimit) ExtensionName() string                   { return "QueryLimit" }
func (queryLimit) Validate(graphql.ExecutableSchema) error { return nil }

func (q queryLimit) MutateOperationParameters(_ context.Context, request *graphql.RawParams) *gqlerror.Error {
	if len(request.Query) <= int(q) {
		return nil
	}
	return limitError("QUERY_TOO_LONG", "The query has %d bytes; at most %d are allowed. Put values into variables.",
		len(request.Query), int(q))
}

func limitError(code, format string, args ...any) *gqlerror.Error {
	return &gqlerror.Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": code}}
}

// sizeLimit refuses operations that select more fields, or deeper, with every fragment spread expanded. Each fragment
// is measured once, however often it is spread: a query of two kilobytes can expand to more fields than any machine
// could count. The depth of introspection does not count, because tools send deep introspection queries.
type sizeLimit struct{ fields, depth int }

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = sizeLimit{}

func (sizeLimit) ExtensionName() string                   { return "SizeLimit" }
func (sizeLimit) Validate(graphql.ExecutableSchema) error { return nil }

func (l sizeLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	size := measure(op.Operation.SelectionSet, map[*ast.FragmentDefinition]extent{})
	if size.fields > l.fields {
		return limitError("SIZE_LIMIT_EXCEEDED", "The operation selects more than %d fields. Split it.", l.fields)
	}
	if size.depth > l.depth {
		return limitError("DEPTH_LIMIT_EXCEEDED", "The operation selects %d levels deep; at most %d are allowed. Split it.",
			size.depth, l.depth)
	}
	return nil
}

// extent is a selection's number of fields, counted up to maxCounted, and its depth.
type extent struct{ fields, depth int }

const maxCounted = 1 << 20

// measure terminates, because validation has refused fragments that spread themselves.
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
		total = extent{min(maxCounted, total.fields+one.fields), max(total.depth, one.depth)}
	}
	return total
}

// singleField refuses subscriptions that do not select exactly one field (GraphQL specification, October 2021,
// §5.2.3.1). gqlparser does not check this.
type singleField struct{}

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = singleField{}

func (singleField) ExtensionName() string                   { return "SingleField" }
func (singleField) Validate(graphql.ExecutableSchema) error { return nil }

func (singleField) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if op.Operation.Operation != ast.Subscription {
		return nil
	}
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) == 1 && !strings.HasPrefix(fields[0].Name, "__") {
		return nil
	}
	err := &gqlerror.Error{Message: "A subscription must select exactly one field, and no introspection. " +
		"Subscribe once for each field."}
	errcode.Set(err, errcode.ValidationFailed)
	return err
}
