package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// latencies are durations. Sorted, they have percentiles.
type latencies []time.Duration

func sorted(l latencies) latencies {
	slices.Sort(l)
	return l
}

func (l latencies) percentile(p float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[min(len(l)-1, int(float64(len(l))*p/100))]
}

// target is a server and the requests to send to it. next may be called concurrently.
type target struct {
	addr string
	processes
	next func() call
}

// load sends requests on a number of connections for a time. Each connection sends the next request when it has the
// response to the last.
func load(ctx context.Context, t target, connections int, length time.Duration) (round, error) {
	group, ctx := errgroup.WithContext(ctx)
	measured := make([]latencies, connections)
	used, begun := t.cpuUsed(), time.Now()
	end := begun.Add(length)
	for n := range connections {
		group.Go(func() (err error) {
			measured[n], err = sendUntil(ctx, t, end)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return round{}, fmt.Errorf("load %s: %w", t.addr, err)
	}
	took, used := time.Since(begun), t.cpuUsed().minus(used)
	all := sorted(slices.Concat(measured...))
	return round{latencies: all, count: len(all), perSecond: float64(len(all)) / took.Seconds(), cpu: used}, nil
}

func sendUntil(ctx context.Context, t target, end time.Time) (latencies, error) {
	c, err := dial(ctx, t.addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	measured := make(latencies, 0, 1<<15)
	for now := time.Now(); now.Before(end); {
		if _, _, err := c.call(t.next()); err != nil {
			return nil, err
		}
		after := time.Now()
		measured = append(measured, after.Sub(now))
		now = after
	}
	return measured, nil
}
