package change

import (
	"math"
	"slices"

	"itemcast/internal/change/internal/store"
)

// unknownHorizon is the horizon of a new gap: the next step learns it (see the package comment).
const unknownHorizon = math.MaxInt64

// advance decides, from the head and one snapshot's view, which ids get the next positions, in that order, and what the
// new head is.
func advance(before store.FeedHead, seen store.UnsequencedRow) (after store.FeedHead, ids []int64) {
	ids = append(slices.Clone(seen.Filled), seen.Fresh...)
	slices.Sort(ids)

	after = store.FeedHead{
		Step:      before.Step + 1,
		Position:  before.Position + int64(len(ids)),
		ScannedTo: before.ScannedTo,
		Gaps:      []int64{},
		Horizons:  []int64{},
	}
	filled := make(map[int64]bool, len(seen.Filled))
	for _, id := range seen.Filled {
		filled[id] = true
	}
	for i, gap := range before.Gaps {
		horizon := before.Horizons[i]
		if rolledBack := horizon <= seen.Xmin; filled[gap] || rolledBack {
			continue
		}
		after.Gaps = append(after.Gaps, gap)
		after.Horizons = append(after.Horizons, min(horizon, seen.Xmax)) // replaces only an unknown one: xmax never falls
	}
	for _, id := range seen.Fresh {
		for skipped := after.ScannedTo + 1; skipped < id; skipped++ {
			after.Gaps = append(after.Gaps, skipped)
			after.Horizons = append(after.Horizons, unknownHorizon)
		}
		after.ScannedTo = id
	}
	return after, ids
}
