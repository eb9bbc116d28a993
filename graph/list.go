package graph

import (
	"itemcast/graph/internal/model"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
)

// Page sizes. The schema has the same defaults, for arguments that are left out; a null argument means the default too.
const (
	defaultPage    = 50
	defaultHistory = 20
	maxPage        = 200
)

// pageSize returns the page size of a list that is paged forward only. Error: INVALID_INPUT.
func pageSize(first *int64, fallback int) (int, error) {
	if first == nil {
		return fallback, nil
	}
	if *first < 1 || *first > maxPage {
		return 0, problem.Invalid(problem.InvalidInput, problem.Fault{Parameter: "first", Detail: "must be from 1 to 200"})
	}
	return int(*first), nil
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
