package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// documents is the cache of parsed queries. It removes @defer from them. The draft of incremental delivery lets a
// server ignore the directive, and our transports send one answer, in which deferred fields would be missing.
//
// The executor adds a document when it has been validated, and then executes that document.
type documents struct {
	graphql.Cache[*ast.QueryDocument]
}

// Add is called by the executor.
func (d documents) Add(ctx context.Context, query string, document *ast.QueryDocument) {
	for _, operation := range document.Operations {
		removeDefer(operation.SelectionSet)
	}
	for _, fragment := range document.Fragments {
		removeDefer(fragment.SelectionSet)
	}
	d.Cache.Add(ctx, query, document)
}

func removeDefer(selections ast.SelectionSet) {
	isDefer := func(d *ast.Directive) bool { return d.Name == "defer" }
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			removeDefer(s.SelectionSet)
		case *ast.InlineFragment:
			s.Directives = slices.DeleteFunc(s.Directives, isDefer)
			removeDefer(s.SelectionSet)
		case *ast.FragmentSpread:
			s.Directives = slices.DeleteFunc(s.Directives, isDefer)
		}
	}
}
