package bench

import (
	"context"
	"time"
)

// pace is the rate of all writers together, and for how long they write.
type pace struct {
	perSecond int
	lasting   time.Duration
	until     <-chan struct{} // ends it early; nil: never
}

// writeSteadily changes items at a fixed rate, after a warm-up at the same rate. A writer that is late catches up, so
// that the rate holds.
func (b *build) writeSteadily(ctx context.Context, p pace) (all []written, perSecond float64, err error) {
	return b.write(ctx, func(ctx context.Context, w *writer) ([]written, error) { return w.steadily(ctx, p) })
}

// writeAtOnce makes a number of changes, rounded up to a multiple of writers, as fast as possible.
func (b *build) writeAtOnce(ctx context.Context, changes int) (all []written, err error) {
	all, _, err = b.write(ctx, func(ctx context.Context, w *writer) (done []written, err error) {
		for k := 0; k < (changes+writers-1)/writers && err == nil; k++ {
			var one written
			one, err = w.next(ctx, k)
			done = append(done, one)
		}
		return done, err
	})
	return all, err
}

func (w *writer) steadily(ctx context.Context, p pace) (done []written, err error) {
	interval := time.Second / time.Duration(p.perSecond) * writers
	for k := 0; ; k++ {
		due := interval*time.Duration(k) + interval*time.Duration(w.n)/writers
		if due >= warmUp+p.lasting || isClosed(p.until) {
			return done, nil
		}
		if err := sleepUntil(ctx, w.begun.Add(due)); err != nil {
			return nil, err
		}
		one, err := w.next(ctx, k)
		if err != nil {
			return nil, err
		}
		one.warmUp = due < warmUp
		done = append(done, one)
	}
}
