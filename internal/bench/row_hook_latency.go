package bench

import (
	"context"
	"fmt"
)

const hookChangesPerSecond = 500

// hookLatency measures the time from a change's commit until its endpoint has read it, at a steady rate.
func hookLatency(ctx context.Context, s *stage) (result, error) {
	r, err := s.alternate(ctx, s.rounds(1), p50Of, s.sides(func(ctx context.Context, b *build) (r round, err error) {
		err = b.withHooks(ctx, []answer{answerAtOnce}, func(all []*hook) error {
			changes, rate, err := b.writeSteadily(ctx, pace{perSecond: hookChangesPerSecond, lasting: writingTime})
			if err != nil {
				return err
			}
			r, err = collect(ctx, changes, all)
			r.perSecond = rate
			return err
		})
		return r, err
	}, nil))
	r.checkDelivery(hookChangesPerSecond)
	r.note(func(one side) string {
		return fmt.Sprintf("%d changes; lost %d, repeated %d, out of order: none. Shown: response to COMMIT → received. "+
			"Transaction sent → received: %s.", one.changes, one.lost, one.repeated, one.sinceSent)
	})
	return r, err
}

// collect waits until the hooks have delivered all changes. It compares each endpoint by itself: the order between
// items is not promised.
func collect(ctx context.Context, changes []written, all []*hook) (round, error) {
	ctx, cancel := context.WithTimeout(ctx, hooksTimeout)
	defer cancel()
	r := round{changes: len(changes)}
	if err := awaitAll(ctx, all, len(changes)); err != nil {
		return r, err
	}
	for _, h := range all {
		one := deliveries(changes, [][]arrival{h.all()})
		one.repeated = h.repeats()
		r.add(one)
	}
	return r, nil
}
