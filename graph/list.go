package graph

import (
	"itemcast/graph/internal/model"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
)

// Page sizes of every list.
const (
	defaultPage = 50
	maxPage     = 200
)

// checkFirst checks the page size of a list that is paged forward only.
func checkFirst(first int64) error {
	if first < 1 || first > maxPage {
		return problem.Invalid(problem.InvalidInput, problem.Fault{Parameter: "first", Detail: "must be from 1 to 200"})
	}
	return nil
}

// forwardPage describes a page of a list that is paged forward only. next is the page token of the next page, "" at the
// end.
func forwardPage(after *string, next string) *model.PageInfo {
	return &model.PageInfo{HasPreviousPage: after != nil, HasNextPage: next != "", EndCursor: optional.OrNil(next)}
}

// nilIfNotFound turns the error NOT_FOUND into null.
func nilIfNotFound[T any](value T, err error) (*T, error) {
	if problem.Is(err, problem.NotFound) {
		return nil, nil
	}
	return &value, err
}
