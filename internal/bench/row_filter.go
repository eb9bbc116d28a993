package bench

import (
	"context"
	"fmt"
	"strings"
)

// filterItems reads the newest 50 items that have a word, as a tag or by the search, in turns. Its baseline is the list
// without a filter, unless no item has the word.
func filterItems(word string, isFound bool) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		calls := map[*build][]call{}
		for _, b := range s.all() {
			for _, parameter := range []string{"tags", "search"} {
				request := b.request("GET", "/api/v1/items?limit=50&"+parameter+"="+word, "", nil)
				_, list, err := once(ctx, b.addr, request)
				if err != nil {
					return result{}, err
				}
				if isEmpty := strings.HasPrefix(list, `{"results":[]`); isEmpty == isFound {
					return result{}, fmt.Errorf("the list by %s is not as expected: %.200s", parameter, list)
				}
				calls[b] = append(calls[b], call{request, len(list)})
			}
		}
		var baseline target
		if isFound {
			var err error
			if baseline, err = s.listBaseline(ctx); err != nil {
				return result{}, err
			}
		}
		return s.compareLoad(ctx, s.Connections, func(b *build) target { return b.target(oneOf(calls[b])) }, baseline)
	}
}
