package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"itemcast/internal/node/nodetest"
)

// bomb returns a query that doubles with each of its fragments.
func bomb(fragments int) string {
	var query strings.Builder
	query.WriteString("{ me { ...A0 } }")
	for n := range fragments {
		fmt.Fprintf(&query, " fragment A%d on Me { ...A%d ...A%d }", n, n+1, n+1)
	}
	fmt.Fprintf(&query, " fragment A%d on Me { id }", fragments)
	return query.String()
}

// A small query that expands into a huge one is refused at once.
func TestLimits_FragmentsThatDoubleAreMeasuredOnce(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	begun := time.Now()
	for _, fragments := range []int{14, 24, 40, 60} {
		if _, codes := n.TryGraphQL(bomb(fragments), nil); len(codes) != 1 || codes[0] != "SIZE_LIMIT_EXCEEDED" {
			t.Errorf("%d fragments: %v", fragments, codes)
		}
	}
	// Visiting each use of a fragment would take seconds at 24 fragments, and years at 60.
	if took := time.Since(begun); took > nodetest.Timeout {
		t.Errorf("took %s", took)
	}
	if _, codes := n.TryGraphQL(bomb(8), nil); codes != nil {
		t.Errorf("a harmless query: %v", codes)
	}
	if _, codes := n.TryGraphQL("{ me { id } } #"+strings.Repeat("x", 40_000), nil); len(codes) != 1 ||
		codes[0] != "QUERY_TOO_LONG" {
		t.Errorf("a long query: %v", codes)
	}
	var tags strings.Builder
	for k := range 100 {
		fmt.Fprintf(&tags, "t%d: tags { name } ", k)
	}
	if _, codes := n.TryGraphQL("{"+tags.String()+"}", nil); len(codes) != 1 || codes[0] != "COMPLEXITY_LIMIT_EXCEEDED" {
		t.Errorf("a table read a hundred times: %v", codes)
	}
}
