package bench

import (
	"context"
	"fmt"
	"strings"
)

// listItems reads the newest 50 items.
func listItems(ctx context.Context, s *stage) (result, error) {
	product := s.product.request("GET", "/api/v1/items?limit=50", "", nil)
	baseline, err := s.listBaseline(ctx)
	if err != nil {
		return result{}, err
	}
	if err := s.expectSame(ctx, product, baseline.next().request); err != nil {
		return result{}, err
	}
	return s.compare(ctx, s.asking(s.product, always(product, baseline.next().size)), baseline, 0.80)
}

// listBaseline is the hand-written list, once it has been told how the product's ends.
func (s *stage) listBaseline(ctx context.Context) (target, error) {
	c, err := dial(ctx, s.product.addr)
	if err != nil {
		return target{}, err
	}
	defer c.close()
	header, body, err := c.call(call{request: s.product.request("GET", "/api/v1/items?limit=50", "", nil), size: -1})
	if err != nil {
		return target{}, err
	}
	list := string(body)
	end := strings.LastIndex(list, `],"next":`)
	if end < 0 {
		return target{}, fmt.Errorf("the list has no next page: %.200s", list)
	}
	b, err := dial(ctx, s.baseline.addr)
	if err != nil {
		return target{}, err
	}
	defer b.close()
	tell := s.baseline.request("PUT", "/tail", "Link: "+header.Get("Link")+"\r\nItemcast-Change-Cursor: "+header.Get("Itemcast-Change-Cursor")+"\r\n",
		[]byte(list[end:]))
	if _, _, err := b.call(call{request: tell}); err != nil {
		return target{}, fmt.Errorf("tell the baseline: %w", err)
	}
	return s.asking(s.baseline, always(s.baseline.request("GET", "/items?limit=50", "", nil), len(list))), nil
}

// always makes the same request.
func always(request []byte, size int) (next func() call) {
	return func() call { return call{request, size} }
}
