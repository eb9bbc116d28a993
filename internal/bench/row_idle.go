package bench

import (
	"context"
	"fmt"
)

const (
	idleSubscribers = 5000
	idleItems       = 100
)

// idle measures the memory of a subscription without changes: by how much thousands of them raise the used memory of
// the process. It does not count the kernel's memory for a connection.
func idle(ctx context.Context, s *stage) (result, error) {
	var last string
	r, err := s.alternate(ctx, s.rounds(1), memoryOf, s.sides(func(ctx context.Context, b *build) (round, error) {
		return b.onFresh(ctx, idleItems, func(fresh *build) (r round, err error) {
			before, after, err := fresh.subscribeIdly(ctx, idleSubscribers)
			if b == s.this {
				last = fmt.Sprintf("%d subscriptions on as many connections; used memory %.1f → %.1f MB, "+
					"resident %.1f → %.1f MB, goroutines %.0f → %.0f.",
					idleSubscribers, before.used()/1e6, after.used()/1e6, before.resident/1e6, after.resident/1e6,
					before.goroutines, after.goroutines)
			}
			return round{bytes: (after.used() - before.used()) / idleSubscribers}, err
		})
	}, nil))
	r.notes = append(r.notes, last)
	return r, err
}

// subscribeIdly measures before and after n subscriptions. The process has had as many before, so that one-time costs
// do not count, such as the sign-in and Go's own records of goroutines (3 kB of 19).
func (b *build) subscribeIdly(ctx context.Context, n int) (before, after memory, err error) {
	first, err := b.dialFollower(1)(ctx, 0)
	if err != nil {
		return before, after, err
	}
	defer first.close()
	alone, err := b.settledMemory(ctx)
	if err != nil {
		return before, after, err
	}
	warm, err := openFollowers(ctx, n, b.dialFollower(1))
	warm.close()
	if err != nil {
		return before, after, err
	}
	if _, err := b.quietMemory(ctx, alone); err != nil {
		return before, after, err
	}
	if before, err = b.settledMemory(ctx); err != nil {
		return before, after, err
	}
	all, err := openFollowers(ctx, n, b.dialFollower(1))
	defer all.close()
	if err != nil {
		return before, after, err
	}
	after, err = b.settledMemory(ctx)
	return before, after, err
}
