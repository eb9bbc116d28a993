package graph

import (
	"cmp"

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

// forwardPage describes a page of a list that is paged forward only. cursors are the page tokens of its rows; next is
// the token from which the next page follows, "" at the end. Next is not the last row's token if rows after it are
// hidden.
func forwardPage(after *string, next string, cursors []string) *model.PageInfo {
	info := &model.PageInfo{HasPreviousPage: after != nil, HasNextPage: next != "", EndCursor: optional.OrNil(next)}
	if n := len(cursors); n > 0 {
		info.StartCursor, info.EndCursor = &cursors[0], new(cmp.Or(next, cursors[n-1]))
	}
	return info
}

// edges pairs the nodes of a page with their page tokens.
func edges[Node, Edge any](nodes []*Node, cursors []string, pair func(cursor string, node *Node) *Edge) []*Edge {
	all := make([]*Edge, len(nodes))
	for n, node := range nodes {
		all[n] = pair(cursors[n], node)
	}
	return all
}

// nilIfNotFound turns the error NOT_FOUND into null.
func nilIfNotFound[T any](value T, err error) (*T, error) {
	if problem.Is(err, problem.NotFound) {
		return nil, nil
	}
	return &value, err
}
