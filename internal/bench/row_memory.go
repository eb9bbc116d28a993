package bench

import (
	"context"
	"fmt"
	"time"
)

const (
	memoryConnections = 32
	memoryLoad        = 10 * time.Second // of each kind of request
)

// memoryAfterLoad measures the resident memory of a new process after load of four kinds, and an idle time.
func memoryAfterLoad(idle time.Duration) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		r, err := s.alternate(ctx, s.rounds(1), memoryOf, s.sides(func(ctx context.Context, b *build) (round, error) {
			return b.onFresh(ctx, s.Items, func(fresh *build) (round, error) { return fresh.memoryAfterLoad(ctx, idle) })
		}, nil))
		r.notes = append(r.notes, fmt.Sprintf("resident memory of a new process after %s each of GET, list, PATCH and "+
			"GraphQL on %d connections, then %s without requests.", memoryLoad, memoryConnections, idle))
		return r, err
	}
}

func (b *build) memoryAfterLoad(ctx context.Context, idle time.Duration) (round, error) {
	for _, next := range []func() call{
		anyOf(b.items, b.get),
		always(b.list(), -minDocument),
		renames(b.items, b.patch),
		always(b.query(), -minDocument),
	} {
		if _, err := load(ctx, b.target(next), memoryConnections, memoryLoad); err != nil {
			return round{}, err
		}
	}
	if err := sleep(ctx, idle); err != nil {
		return round{}, err
	}
	m, err := b.memory(ctx)
	return round{bytes: m.resident}, err
}
