package bench

import (
	"context"
	"fmt"
	"sync/atomic"
)

// smallestDocument is what every item's document has at least, in bytes.
const smallestDocument = 1000

// patchItem changes the names of items at random.
func patchItem(ctx context.Context, s *stage) (result, error) {
	product := func(body []byte, i seeded) []byte { return s.product.patch(i, body) }
	baseline := func(body []byte, i seeded) []byte {
		return s.baseline.request("PATCH", "/items/"+i.ID.String(), "Content-Type: application/merge-patch+json\r\n", body)
	}
	return s.compare(ctx, s.asking(s.product, s.patching(product)), s.asking(s.baseline, s.patching(baseline)), 0.70)
}

func (s *stage) patching(request func(body []byte, i seeded) []byte) (next func() call) {
	var patches atomic.Int64
	return func() call {
		return call{request(fmt.Appendf(nil, `{"name":%q}`, takeName(patches.Add(1))), s.anyItem()), -smallestDocument}
	}
}

func (p *product) patch(i seeded, body []byte) []byte {
	return p.request("PATCH", "/api/v1/items/"+i.ID.String(), "Content-Type: application/merge-patch+json\r\n", body)
}

// takeName is a name that no item has yet, as long as the ones that they have.
func takeName(n int64) string { return fmt.Sprintf("Take %09d, main stage", n) }
