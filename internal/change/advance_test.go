package change

import (
	"slices"
	"testing"

	"itemcast/internal/change/internal/store"
)

func TestAdvance(t *testing.T) {
	t.Parallel()
	const unknown = unknownHorizon
	head := func(position, scannedTo int64, gaps, horizons []int64) store.FeedHead {
		return store.FeedHead{Step: 7, Position: position, ScannedTo: scannedTo, Gaps: gaps, Horizons: horizons}
	}
	seen := func(fresh, filled []int64, xmin, xmax int64) store.UnsequencedRow {
		return store.UnsequencedRow{Fresh: fresh, Filled: filled, Xmin: xmin, Xmax: xmax}
	}
	for name, c := range map[string]struct {
		before store.FeedHead
		seen   store.UnsequencedRow
		ids    []int64
		after  store.FeedHead
	}{
		"nothing new": {
			head(5, 5, nil, nil), seen(nil, nil, 100, 100), nil, head(5, 5, nil, nil),
		},
		"new ids get the next positions in id order": {
			head(5, 5, nil, nil), seen([]int64{6, 7, 8}, nil, 100, 100), []int64{6, 7, 8}, head(8, 8, nil, nil),
		},
		"skipped ids become gaps without a horizon": {
			head(5, 5, nil, nil), seen([]int64{7, 10}, nil, 100, 110), []int64{7, 10},
			head(7, 10, []int64{6, 8, 9}, []int64{unknown, unknown, unknown}),
		},
		"the next step sets the horizon": {
			head(5, 8, []int64{6}, []int64{unknown}), seen(nil, nil, 100, 110), nil, head(5, 8, []int64{6}, []int64{110}),
		},
		"a horizon does not change": {
			head(5, 8, []int64{6}, []int64{110}), seen(nil, nil, 109, 120), nil, head(5, 8, []int64{6}, []int64{110}),
		},
		"a gap is dropped when all transactions below its horizon have ended": {
			head(5, 8, []int64{6}, []int64{110}), seen(nil, nil, 110, 120), nil, head(5, 8, nil, nil),
		},
		"a gap is never dropped by the step that finds it": {
			head(5, 5, nil, nil), seen([]int64{7}, nil, 110, 110), []int64{7}, head(6, 7, []int64{6}, []int64{unknown}),
		},
		"a gap without a horizon is not dropped": {
			head(5, 8, []int64{6}, []int64{unknown}), seen(nil, nil, 120, 120), nil, head(5, 8, []int64{6}, []int64{120}),
		},
		"a late commit gets the next position": {
			head(5, 8, []int64{6, 7}, []int64{110, 112}), seen(nil, []int64{6}, 105, 120), []int64{6},
			head(6, 8, []int64{7}, []int64{112}),
		},
		"late commits precede the ids above them, in id order": {
			head(5, 8, []int64{6, 7}, []int64{110, 110}), seen([]int64{9, 11}, []int64{7, 6}, 105, 120), []int64{6, 7, 9, 11},
			head(9, 11, []int64{10}, []int64{unknown}),
		},
		"a visible row gets a position although its horizon is reached": {
			head(5, 8, []int64{6}, []int64{110}), seen(nil, []int64{6}, 120, 120), []int64{6}, head(6, 8, nil, nil),
		},
		"only gaps whose horizon is reached are dropped": {
			head(5, 9, []int64{6, 7, 8}, []int64{110, 115, unknown}), seen(nil, nil, 112, 120), nil,
			head(5, 9, []int64{7, 8}, []int64{115, 120}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after, ids := advance(c.before, c.seen)
			if !slices.Equal(ids, c.ids) {
				t.Errorf("ids %v get positions, want %v", ids, c.ids)
			}
			if after.Step != c.before.Step+1 || after.Position != c.after.Position || after.ScannedTo != c.after.ScannedTo {
				t.Errorf("the head is %+v, want %+v", after, c.after)
			}
			if !slices.Equal(after.Gaps, c.after.Gaps) || !slices.Equal(after.Horizons, c.after.Horizons) {
				t.Errorf("gaps and horizons are %v %v, want %v %v", after.Gaps, after.Horizons, c.after.Gaps, c.after.Horizons)
			}
		})
	}
}
