package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// latencies are measured times; sorted, they answer for percentiles.
type latencies []time.Duration

func (l latencies) percentile(p float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[min(len(l)-1, int(float64(len(l))*p/100))]
}

// round is what one round of load came to.
type round struct {
	latencies latencies
	count     int // of what was done
	perSecond float64
	cpu       cpu
}

// target is a server, and what to ask of it. Next may be called concurrently.
type target struct {
	addr     string
	pid      int
	postgres int // the pid of the Postgres behind it
	next     func() call
}

// load asks on a number of connections, on each as soon as it has been answered, for a time.
func load(ctx context.Context, t target, connections int, length time.Duration) (round, error) {
	group, ctx := errgroup.WithContext(ctx)
	measured := make([]latencies, connections)
	used, begun := cpuUsed(t.pid, t.postgres), time.Now()
	end := begun.Add(length)
	for n := range connections {
		group.Go(func() (err error) {
			measured[n], err = ask(ctx, t, end)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return round{}, fmt.Errorf("load %s: %w", t.addr, err)
	}
	took, used := time.Since(begun), cpuUsed(t.pid, t.postgres).minus(used)
	all := slices.Concat(measured...)
	slices.Sort(all)
	return round{latencies: all, count: len(all), perSecond: float64(len(all)) / took.Seconds(), cpu: used}, nil
}

func ask(ctx context.Context, t target, end time.Time) (latencies, error) {
	c, err := dial(ctx, t.addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	measured := make(latencies, 0, 1<<15)
	for now := time.Now(); now.Before(end); {
		wanted := t.next()
		if _, _, err := c.call(wanted); err != nil {
			return nil, err
		}
		after := time.Now()
		measured = append(measured, after.Sub(now))
		now = after
	}
	return measured, nil
}
