package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/internal/problem"
)

// persistedQueries is gqlgen's extension for automatic persisted queries, with codes for a client's mistakes. Without a
// code, an error would be presented as a failure of the server.
type persistedQueries struct {
	extension.AutomaticPersistedQuery
}

// MutateOperationParameters is called by the executor.
func (p persistedQueries) MutateOperationParameters(ctx context.Context, request *graphql.RawParams) *gqlerror.Error {
	err := p.AutomaticPersistedQuery.MutateOperationParameters(ctx, request)
	if err == nil || err.Extensions["code"] != nil {
		return err
	}
	return gqlerror.WrapIfUnwrapped(problem.New(problem.BadRequest,
		"extensions.persistedQuery must be {version: 1, sha256Hash: the query's SHA-256 in lower-case hexadecimal}: "+
			"%s.", err.Message))
}
