package transport

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/internal/problem"
)

// Present returns the part of an error that a client may see: a problem's code and detail, or gqlgen's own text.
// Internal errors are logged, and clients see only their code.
func Present(ctx context.Context, log *slog.Logger, err error) *gqlerror.Error {
	out := present(ctx, err)
	if out.Extensions["code"] == problem.Internal {
		log.Error("a GraphQL operation failed", "path", out.Path.String(), "error", err)
	}
	return out
}

func present(ctx context.Context, err error) *gqlerror.Error {
	out := graphql.DefaultErrorPresenter(ctx, err)
	if problem.Of(err) == nil && out.Extensions["code"] != nil { // gqlgen's own: parsing, validation, limits
		return out
	}
	if fault, ok := errors.AsType[*gqlerror.Error](err); ok && problem.Of(err) == nil && isCoercion(ctx, fault) {
		return presentCoercion(fault)
	}
	p := problem.From(err)
	out.Message = p.Detail
	out.Extensions = map[string]any{"code": p.Code}
	if len(p.Faults) > 0 {
		out.Extensions["errors"] = p.Faults
	}
	if p.Revision > 0 {
		out.Extensions["revision"] = p.Revision
	}
	return out
}

// isCoercion reports whether an error concerns an argument. Its path then leads below the path of the field, which is
// where gqlgen puts the errors of resolvers.
func isCoercion(ctx context.Context, err *gqlerror.Error) bool {
	field := graphql.GetFieldContext(ctx)
	return field != nil && len(err.Path) > len(field.Path())
}

// presentCoercion presents a value that is not of its type. Our own scalars say what the value must be.
func presentCoercion(fault *gqlerror.Error) *gqlerror.Error {
	detail := "does not have the form of its type"
	if cause := errors.Unwrap(fault); cause != nil && strings.HasPrefix(cause.Error(), "must be ") {
		detail = cause.Error()
	}
	return &gqlerror.Error{
		Message: fault.Path.String() + " " + detail + ".", Path: fault.Path, Locations: fault.Locations,
		Extensions: map[string]any{"code": problem.InvalidInput},
	}
}

// presentAll returns the errors with which an operation ends.
func (s *Server) presentAll(ctx context.Context, err error) gqlerror.List {
	if list, ok := errors.AsType[gqlerror.List](err); ok {
		return list
	}
	return gqlerror.List{Present(ctx, s.Log, err)}
}
