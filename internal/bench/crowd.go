package bench

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// maxUnderWay is higher than the number of changes that are ever on their way at once.
const maxUnderWay = 1 << 14

// crowd is shared by the subscribers of one round. Its methods may be called concurrently, but only the writer calls
// await and sending.
type crowd struct {
	size      int64
	first     int64         // revision
	window    chan struct{} // holds one token for each change that has not reached all
	over      atomic.Bool
	sent      [maxUnderWay]atomic.Int64 // when a change was sent, in Unix nanoseconds, by its number modulo maxUnderWay
	reached   [maxUnderWay]atomic.Int64 // how many subscribers it has reached
	latencies latencies                 // see reach
}

func newCrowd(size, window int, first int64) *crowd {
	return &crowd{size: int64(size), first: first, window: make(chan struct{}, window)}
}

func (c *crowd) slot(revision int64) int { return int(revision-c.first) % maxUnderWay }

func (c *crowd) sending(revision int64) { c.sent[c.slot(revision)].Store(time.Now().UnixNano()) }

// reach records that a change has reached one more subscriber. Only the last subscriber of a change appends to the
// latencies, and changes arrive in order, so the appends do not race.
func (c *crowd) reach(revision int64) {
	slot := c.slot(revision)
	if c.reached[slot].Add(1) != c.size {
		return
	}
	c.reached[slot].Store(0)
	c.latencies = append(c.latencies, time.Duration(time.Now().UnixNano()-c.sent[slot].Load()))
	<-c.window
}

// await waits until every change has reached all subscribers.
func (c *crowd) await(ctx context.Context) error {
	timeout := time.After(fanOutTimeout)
	for range cap(c.window) {
		select {
		case c.window <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return errors.New("a change has not reached all subscribers")
		}
	}
	return nil
}
