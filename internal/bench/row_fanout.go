package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"itemcast/internal/bench/internal/store"
)

const (
	// inBursts is a number of changes on their way at once. It is high enough that no subscriber waits for the writer,
	// and so low that the slowest subscriber is never far behind the fastest. Itemcast sends all messages that wait for
	// a subscriber in one write.
	inBursts = 16
	oneByOne = 1
)

// fanOut measures how many messages a second reach n subscribers with a number of distinct queries. One item changes
// as fast as the changes arrive, with window changes on their way. The baseline broadcasts prepared messages: it
// reads the same changes from the same log, makes one frame of each, and writes it to n connections of the same kind.
// The subscribers are the same code on all sides and fail when a change is missing, repeated or out of order.
func fanOut(n, distinct, window int) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		writers, stop, err := s.itemWriters(ctx)
		if err != nil {
			return result{}, err
		}
		defer stop()
		of := fanOutRound{subscribers: n, window: window, length: s.Round}
		r, err := s.alternate(ctx, s.rounds(min(s.Rounds, maxSlowRounds)), rateOf, s.sides(
			func(ctx context.Context, b *build) (round, error) {
				return of.measure(ctx, writers[b], b.dialFollower(distinct), b.processes())
			},
			func(ctx context.Context) (round, error) {
				return of.measure(ctx, writers[s.this], s.baseline.dialFollower, s.baselineProcesses())
			},
		))
		r.notes = []string{fmt.Sprintf("%d subscribers; rates and CPU time are of messages, times are from sending a "+
			"change's transaction to its last subscriber, with %d changes on their way. Missed, repeated or out of order: none.",
			n, window)}
		return r, err
	}
}

// itemWriters opens a writer of one item on each build. The caller stops them.
func (b builds) itemWriters(ctx context.Context) (writers map[*build]*itemWriter, stop func(), err error) {
	writers = map[*build]*itemWriter{}
	var stops []func()
	stop = func() {
		for _, one := range stops {
			one()
		}
	}
	for _, one := range b.all() {
		w, stopOne, err := one.itemWriter(ctx)
		if err != nil {
			stop()
			return nil, nil, err
		}
		stops = append(stops, stopOne)
		writers[one] = w
	}
	return writers, stop, nil
}

type fanOutRound struct {
	subscribers, window int
	length              time.Duration
}

// measure opens the connections, changes the item until the round ends, and closes the connections.
func (f fanOutRound) measure(ctx context.Context, w *itemWriter, open opener, of processes) (round, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newCrowd(f.subscribers, f.window, w.item.Revision+1)
	all, err := openFollowers(ctx, f.subscribers, open)
	defer all.close()
	if err != nil {
		return round{}, err
	}
	reading, read := errgroup.WithContext(ctx)
	failed := context.AfterFunc(read, all.close) // ends the others when one fails
	defer failed()
	for _, one := range all {
		reading.Go(func() error { return one.read(c) })
	}
	used, begun := of.cpuUsed(), time.Now()
	for time.Since(begun) < f.length {
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
	took, used := time.Since(begun), of.cpuUsed().minus(used)
	c.over.Store(true)
	all.close()
	if err := reading.Wait(); err != nil {
		return round{}, err
	}
	messages := len(c.latencies) * f.subscribers
	perSecond := float64(messages) / took.Seconds()
	return round{latencies: sorted(c.latencies), perSecond: perSecond, cpu: used, count: messages}, nil
}

// itemWriter changes one item repeatedly.
type itemWriter struct {
	writer
	item *store.WriterItemsRow
	done int
}

func (b *build) itemWriter(ctx context.Context) (w *itemWriter, stop func(), err error) {
	items, err := b.writerItems(ctx)
	if err != nil {
		return nil, nil, err
	}
	sequencer, stop := b.sequence(ctx)
	return &itemWriter{writer: writer{pool: b.pool, sequencer: sequencer}, item: items[len(items)/2]}, stop, nil
}

func (w *itemWriter) change(ctx context.Context, c *crowd) error {
	w.done++
	c.sending(w.item.Revision + 1)
	_, err := w.rename(ctx, w.item, fmt.Sprintf("Change %d", w.done))
	return err
}
