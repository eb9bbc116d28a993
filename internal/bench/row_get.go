package bench

import (
	"context"
	"math/rand/v2"
)

// getItem reads items at random, by id.
func getItem(ctx context.Context, s *stage) (result, error) {
	product := func(i seeded) []byte { return s.product.request("GET", "/api/v1/items/"+i.ID.String(), "", nil) }
	baseline := func(i seeded) []byte { return s.baseline.request("GET", "/items/"+i.ID.String(), "", nil) }
	if err := s.expectSame(ctx, product(s.items[0]), baseline(s.items[0])); err != nil {
		return result{}, err
	}
	return s.compare(ctx, s.asking(s.product, s.prepared(product)), s.asking(s.baseline, s.prepared(baseline)), 0.80)
}

// prepared asks for items at random, with requests that were written before.
func (s *stage) prepared(request func(seeded) []byte) (next func() call) {
	calls := make([]call, len(s.items))
	for n, i := range s.items {
		calls[n] = call{request(i), i.Size}
	}
	return func() call { return calls[rand.IntN(len(calls))] }
}
