package change

import (
	"context"
	"time"

	"itemcast/internal/change/internal/store"
)

const (
	extendInterval = time.Second

	// partitionsAhead is the number of change ids that partitions exist for in advance: more than a minute of writes at
	// full speed.
	partitionsAhead = 500_000
)

// extendPartitions creates partitions in advance until ctx ends. It has a goroutine of its own, because attaching a
// partition may wait for maintenance of the table (such as ANALYZE), and a step must not.
func (s *Sequencer) extendPartitions(ctx context.Context) {
	tick := time.NewTicker(extendInterval)
	defer tick.Stop()
	for {
		if err := s.extend(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot create partitions of the change log; retrying", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Sequencer) extend(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	_, err := store.New(s.pool).ExtendPartitions(ctx, partitionsAhead)
	return err
}
