package dispatch

import (
	"context"
	"time"

	"itemcast/internal/hook/internal/store"
	"itemcast/internal/wake"
)

// sweep finds what no event announces: retries that come due, the claims of dead nodes, due deliveries for which other
// nodes have no slots, pending deliveries of inactive hooks, and the end of a lock that kept a hook's health from being
// recorded.
func (d *Dispatcher) sweep(ctx context.Context) {
	for {
		next := d.config.Sweep
		for _, task := range []struct {
			failure string
			run     func(context.Context) error
		}{
			{"cannot take over the claims of dead nodes; retrying", d.takeOver},
			{"cannot end the deliveries of inactive hooks; retrying", d.endInactive},
			{"cannot record the health of hooks; retrying", d.noteAgain},
			{"cannot find due deliveries; retrying", func(ctx context.Context) (err error) {
				next, err = d.wakeDue(ctx)
				return err
			}},
		} {
			if err := task.run(ctx); err != nil && ctx.Err() == nil {
				d.log.Warn(task.failure, "error", err)
			}
		}
		if !wake.Pause(ctx, max(next, d.config.Sweep/100)) {
			return
		}
	}
}

// wakeDue wakes the dispatcher for hooks with due deliveries, and returns the time until the next sweep.
func (d *Dispatcher) wakeDue(ctx context.Context) (next time.Duration, err error) {
	next = d.config.Sweep
	rows, err := store.New(d.pool).DueHooks(ctx)
	for _, row := range rows {
		d.limits.set(row.ID, row.Limited)
		wait := time.Duration(row.Wait * float64(time.Second))
		if wait <= 0 {
			d.Wake(row.ID)
		} else {
			next = min(next, wait)
		}
	}
	return next, err
}
