package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// inBursts is how many changes are on their way at once: enough that nobody waits for the writer, and few enough that the slowest
	// subscriber is never far behind the fastest. The product writes what waits for a subscriber at once, as a message at a time could not be.
	inBursts = 16
	oneByOne = 1

	fanOutRounds   = 3 // pairs; opening thousands of connections takes its time
	fanOutPatience = 30 * time.Second
)

// fanOut measures how many messages a second reach n subscribers, with a number of distinct queries among them, while one item changes as fast
// as they are reached, with so many changes on their way. Beside it, a broadcast of prepared messages gets the same changes of the same log, makes one frame of each, and writes it to n
// connections of the same kind; the subscribers on both sides are the same code. The product's subscribers see that none misses, repeats or
// reorders a change.
func fanOut(n, distinct, window int, atLeast float64) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		w, stop, err := s.oneWriter(ctx)
		if err != nil {
			return result{}, err
		}
		defer stop()
		r, err := s.alternate(fanOutRounds, atLeast, [2]func() (round, error){
			func() (round, error) { return s.fanOutRound(ctx, w, n, window, s.followProduct(distinct), s.product) },
			func() (round, error) { return s.fanOutRound(ctx, w, n, window, s.followBaseline, s.baseline) },
		})
		r.notes = []string{fmt.Sprintf("%d subscribers; rates and CPU time are of messages, times are from a change's commit to its last subscriber, "+
			"with %d changes on their way. Missed, repeated or out of order: none.", n, window)}
		return r, err
	}
}

// fanOutRound opens n connections, changes the item for a round's time, and closes them.
func (s *stage) fanOutRound(ctx context.Context, w *oneWriter, n, window int, open opener, of server) (round, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &crowd{size: int64(n), first: w.revision() + 1, window: make(chan struct{}, window)}
	all, err := openFollowers(ctx, n, open)
	defer all.close()
	if err != nil {
		return round{}, err
	}
	reading, read := errgroup.WithContext(ctx)
	failed := context.AfterFunc(read, all.close) // the others would read on for ever
	defer failed()
	for _, one := range all {
		reading.Go(func() error { return one.read(c) })
	}
	_, pid := of.where()
	postgres := s.product.postgresPID()
	used, begun := cpuUsed(pid, postgres), time.Now()
	for time.Since(begun) < s.Round {
		select {
		case <-read.Done():
			return round{}, reading.Wait()
		case c.window <- struct{}{}:
		}
		if err := w.change(ctx, c); err != nil {
			return round{}, err
		}
	}
	if err := c.await(read); err != nil {
		return round{}, errors.Join(err, context.Cause(read))
	}
	took, used := time.Since(begun), cpuUsed(pid, postgres).minus(used)
	c.over.Store(true)
	all.close()
	if err := reading.Wait(); err != nil {
		return round{}, err
	}
	messages := len(c.latencies) * n
	return round{latencies: c.latencies, perSecond: float64(messages) / took.Seconds(), cpu: used, count: messages}, nil
}

// crowd is what the subscribers of a round have in common.
type crowd struct {
	size      int64
	first     int64         // revision
	window    chan struct{} // holds one for each change that has not reached all
	over      atomic.Bool
	committed [1 << 14]atomic.Int64 // when a change was, in Unix nanoseconds, by its number modulo the length
	arrived   [1 << 14]atomic.Int64 // subscribers that it has reached
	latencies latencies             // by whoever is reached last; changes end one after the other, as their order is kept
}

// reached notes that a change has reached one more subscriber.
func (c *crowd) reached(revision int64) {
	slot := int(revision-c.first) % len(c.arrived)
	if c.arrived[slot].Add(1) != c.size {
		return
	}
	c.arrived[slot].Store(0)
	c.latencies = append(c.latencies, time.Duration(time.Now().UnixNano()-c.committed[slot].Load()))
	<-c.window
}

// await waits until every change has reached all.
func (c *crowd) await(ctx context.Context) error {
	patience := time.After(fanOutPatience)
	for range cap(c.window) {
		select {
		case c.window <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		case <-patience:
			return errors.New("a change has not reached all subscribers")
		}
	}
	return nil
}

// followProduct subscribes, the k-th subscriber with one of some distinct queries.
func (s *stage) followProduct(distinct int) opener {
	return func(ctx context.Context, k int) (*follower, error) {
		query := subscriptionQuery
		if distinct > 1 {
			query = strings.Replace(query, "kind", fmt.Sprintf("k%02d: kind", k%distinct), 1)
		}
		return dialFollower(ctx, s.product.addr, "/graphql", query)
	}
}

func (s *stage) followBaseline(ctx context.Context, _ int) (*follower, error) {
	return dialFollower(ctx, s.baseline.addr, "/broadcast", "")
}

// oneWriter changes one item over and over.
type oneWriter struct {
	writer *writer
	item   *kept
	n      int
}

func (s *stage) oneWriter(ctx context.Context) (w *oneWriter, stop func(), err error) {
	items, err := s.keepItems(ctx)
	if err != nil {
		return nil, nil, err
	}
	sequencer, stop := s.sequence(ctx)
	return &oneWriter{writer: &writer{pool: s.pool, sequencer: sequencer}, item: items[len(items)/2]}, stop, nil
}

func (w *oneWriter) revision() int64 { return w.item.item.Revision }

func (w *oneWriter) change(ctx context.Context, c *crowd) error {
	w.n++
	slot := int(w.revision()+1-c.first) % len(c.committed)
	c.committed[slot].Store(time.Now().UnixNano())
	_, err := w.writer.change(ctx, w.item, fmt.Sprintf("Change %d", w.n))
	return err
}
