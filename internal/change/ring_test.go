package change

import (
	"testing"

	"pgregory.net/rapid"
)

func TestRing_HasTheNewestWithoutAGapAndNeverModifiesAReturnedSlice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var r ring
		var last Position
		type reading struct {
			changes []*Change
			from    Position
		}
		var returned []reading
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			batch := make([]*Change, rapid.IntRange(1, 3000).Draw(t, "batch"))
			document := make([]byte, rapid.SampledFrom([]int{0, 1000, 1 << 20}).Draw(t, "size"))
			for i := range batch {
				last++
				batch[i] = &Change{Position: last, Document: document}
			}
			r.append(batch)
			if len(r.changes) > maxRingChanges || r.bytes > maxRingBytes && len(r.changes) > 1 {
				t.Fatalf("it has %d changes of %d bytes", len(r.changes), r.bytes)
			}
			after := last - Position(rapid.IntRange(0, int(last)).Draw(t, "back"))
			limit := rapid.IntRange(1, 5000).Draw(t, "limit")
			changes, ok := r.after(after, limit)
			if reaches := after >= r.changes[0].Position-1; ok != reaches {
				t.Fatalf("after %d: %v, but it starts at %d", after, ok, r.changes[0].Position)
			}
			if want := min(limit, int(last-after)); ok && len(changes) != want {
				t.Fatalf("%d changes after %d, want %d", len(changes), after, want)
			}
			returned = append(returned, reading{changes, after})
		}
		for _, g := range returned {
			for i, c := range g.changes {
				if c.Position != g.from+Position(i+1) {
					t.Fatalf("position %d, want %d", c.Position, g.from+Position(i+1))
				}
			}
		}
	})
}
