package bench

import (
	"context"
	"fmt"
)

// listPage loads the page of the newest 50 items, by one browser. Its baseline is the same list as JSON, from this
// build: the ratio says what the page costs beside its data. Another build that has no such page is left out.
func listPage(ctx context.Context, s *stage) (result, error) {
	sizes := map[*build]int{}
	for _, b := range s.all() {
		_, page, err := once(ctx, b.addr, b.page())
		switch {
		case err != nil && b == s.other && ctx.Err() == nil:
			s.logf("the other build has no page of items: %v", err)
			s.other = nil
		case err != nil:
			return result{}, fmt.Errorf("load the page of items: %w", err)
		}
		sizes[b] = len(page)
	}
	_, list, err := once(ctx, s.this.addr, s.this.list())
	if err != nil {
		return result{}, err
	}
	return s.compareLoad(ctx, 1,
		func(b *build) target { return b.target(always(b.page(), sizes[b])) },
		s.this.target(always(s.this.list(), len(list))))
}

func (n *node) page() []byte { return n.request("GET", "/items", "Accept: text/html\r\n", nil) }
