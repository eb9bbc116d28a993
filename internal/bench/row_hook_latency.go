package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	hookChangesPerSecond = 500
	hookP50Budget        = 15 * time.Millisecond
)

// hookLatency measures from a change's commit to when its endpoint has read it, at a steady rate.
func hookLatency(ctx context.Context, s *stage) (r result, err error) {
	err = s.withHooks(ctx, []answer{atOnce}, func(all []*hooked) error {
		changes, rate, err := s.writeSteadily(ctx, pace{perSecond: hookChangesPerSecond, lasting: writingFor})
		if err != nil {
			return err
		}
		d, err := s.collect(ctx, changes, all)
		if err != nil {
			return err
		}
		r = result{
			product: side{perSecond: rate, latencies: d.fromCommitted},
			met:     d.fromCommitted.percentile(50) <= hookP50Budget && d.lost == 0 && rate >= 0.99*hookChangesPerSecond,
			notes: []string{fmt.Sprintf("%d changes; lost %d, repeated %d, out of order: none. Shown: COMMIT answered → received. Transaction sent → received: %s.",
				len(changes), d.lost, all[0].repeated, d.fromBegun.both())},
		}
		return nil
	})
	return r, err
}

// collect waits until hooks have delivered all changes, and tells what became of them.
func (s *stage) collect(ctx context.Context, changes []written, all []*hooked) (d delivered, err error) {
	ctx, cancel := context.WithTimeout(ctx, hooksPatience)
	defer cancel()
	if err := awaitAll(ctx, all, len(changes)); err != nil {
		return d, err
	}
	for _, h := range all {
		one := join(changes, [][]arrival{h.all()}) // each by itself: the order of different items is not promised
		d.lost += one.lost
		d.fromCommitted, d.fromBegun = append(d.fromCommitted, one.fromCommitted...), append(d.fromBegun, one.fromBegun...)
	}
	slices.Sort(d.fromCommitted)
	slices.Sort(d.fromBegun)
	return d, nil
}
