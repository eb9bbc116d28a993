package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/graph/connection"
	"itemcast/internal/problem"
)

// nodeType is a type that implements the interface Node.
type nodeType struct {
	name string
	read func(ctx context.Context, id uuid.UUID) (connection.Node, error)
}

// node returns the object with an id; nil if the query of its type would not return it. It asks one type after the
// other, first those that the selection names: a client that reads an object again names its type.
func (r *Resolver) node(ctx context.Context, id uuid.UUID) (connection.Node, error) {
	q := r.Query()
	types := []nodeType{
		{"Item", reader(q.Item)}, {"WorkflowProfile", reader(q.WorkflowProfile)}, {"MetadataField", reader(r.metadataField)},
		{"Hook", reader(q.Hook)}, {"Role", reader(q.Role)}, {"AccountUser", reader(q.User)}, {"Delivery", reader(q.Delivery)},
		{"AccessToken", reader(q.AccessToken)},
	}
	named := namedTypes(ctx)
	rank := func(of nodeType) int { return slices.Index(named, of.name) } // -1: not named
	slices.SortStableFunc(types, func(a, b nodeType) int { return rank(b) - rank(a) })
	for _, of := range types {
		node, err := of.read(ctx, id)
		if node != nil || err != nil {
			return node, err
		}
	}
	return nil, nil
}

// reader makes the query of a type a function that returns nil for an object that the actor may not read.
func reader[T any](
	query func(ctx context.Context, id uuid.UUID) (*T, error),
) func(context.Context, uuid.UUID) (connection.Node, error) {
	return func(ctx context.Context, id uuid.UUID) (connection.Node, error) {
		object, err := query(ctx, id)
		switch {
		case problem.Is(err, problem.Forbidden):
			return nil, nil
		case err != nil || object == nil:
			return nil, err
		}
		return object, nil
	}
}

// namedTypes returns the types on which the selection of the field has fragments.
func namedTypes(ctx context.Context) (names []string) {
	for _, selection := range graphql.GetFieldContext(ctx).Field.Selections {
		switch s := selection.(type) {
		case *ast.InlineFragment:
			names = append(names, s.TypeCondition)
		case *ast.FragmentSpread:
			names = append(names, s.Definition.TypeCondition)
		}
	}
	return names
}
