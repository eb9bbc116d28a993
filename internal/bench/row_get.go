package bench

import "context"

// getItem reads items at random, by id.
func getItem(ctx context.Context, s *stage) (result, error) {
	product := func(i seeded) []byte { return s.product.request("GET", "/api/v1/items/"+i.ID.String(), "", nil) }
	baseline := func(i seeded) []byte { return s.baseline.request("GET", "/items/"+i.ID.String(), "", nil) }
	if err := s.expectSame(ctx, product(s.items[0]), baseline(s.items[0])); err != nil {
		return result{}, err
	}
	return s.compare(ctx, s.prepared(s.product.addr, product), s.prepared(s.baseline.addr, baseline), 0.80)
}

// prepared asks for items at random, with requests that were written before.
func (s *stage) prepared(addr string, request func(seeded) []byte) target {
	calls := make(map[seeded]call, len(s.items))
	for _, i := range s.items {
		calls[i] = call{request: request(i), size: i.Size}
	}
	return target{addr, func() call { return calls[s.anyItem()] }}
}
