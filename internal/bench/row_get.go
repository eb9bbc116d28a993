package bench

import (
	"context"
	"math/rand/v2"
)

// getItem reads random items by id.
func getItem(connections int) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		for _, b := range s.all() {
			if err := b.readItems(ctx); err != nil {
				return result{}, err
			}
		}
		first := s.this.items[0]
		if err := checkSameWork(ctx, s.this.addr, s.this.get(first), s.baseline.addr, s.baseline.get(first)); err != nil {
			return result{}, err
		}
		return s.compareLoad(ctx, connections,
			func(b *build) target { return b.target(anyOf(b.items, b.get)) },
			s.baselineTarget(anyOf(s.this.items, s.baseline.get)))
	}
}

func (n *node) get(i seeded) []byte { return n.request("GET", "/api/v1/items/"+i.ID.String(), "", nil) }

func (b *baselineProcess) get(i seeded) []byte {
	return b.request("GET", "/items/"+i.ID.String(), "", nil)
}

// anyOf requests random items. The requests are formatted once, before the load.
func anyOf(items []seeded, request func(seeded) []byte) (next func() call) {
	calls := make([]call, len(items))
	for n, i := range items {
		calls[n] = call{request(i), i.Size}
	}
	return oneOf(calls)
}

// oneOf repeats random calls.
func oneOf(calls []call) (next func() call) {
	return func() call { return calls[rand.IntN(len(calls))] }
}
