package graph

import (
	"itemcast/graph/internal/model"
	"itemcast/internal/problem"
)

// What lists have in common that are read one way, newest first.

func checkFirst(first int64) error {
	if first < 1 || first > maxPage {
		return problem.Invalid(problem.InvalidInput, problem.Fault{Parameter: "first", Detail: "must be from 1 to 200"})
	}
	return nil
}

func oneWay(after *string, next string) *model.PageInfo {
	return &model.PageInfo{HasPreviousPage: after != nil, HasNextPage: next != "", EndCursor: orNil(next)}
}

func pointers[T any](values []T) []*T {
	out := make([]*T, len(values))
	for i := range values {
		out[i] = &values[i]
	}
	return out
}

// orNull makes null of what is not there.
func orNull[T any](value T, err error) (*T, error) {
	if problem.Is(err, problem.NotFound) {
		return nil, nil
	}
	return &value, err
}
