package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
)

// minDocument is the minimum size of an item's document, in bytes.
const minDocument = 1000

// patchItem renames random items.
func patchItem(connections int) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		return s.compareLoad(ctx, connections,
			func(b *build) target { return b.target(renames(b.items, b.patch)) },
			s.baselineTarget(renames(s.this.items, s.baseline.patch)))
	}
}

const mergePatch = "Content-Type: application/merge-patch+json\r\n"

func (n *node) patch(i seeded, body []byte) []byte {
	return n.request("PATCH", "/api/v1/items/"+i.ID.String(), mergePatch, body)
}

func (b *baselineProcess) patch(i seeded, body []byte) []byte {
	return b.request("PATCH", "/items/"+i.ID.String(), mergePatch, body)
}

func renames(items []seeded, request func(i seeded, body []byte) []byte) (next func() call) {
	var names atomic.Int64
	return func() call {
		body := fmt.Appendf(nil, `{"name":%q}`, anyName(names.Add(1)))
		return call{request(items[rand.IntN(len(items))], body), -minDocument}
	}
}
