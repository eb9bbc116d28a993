package change

import (
	"context"
	"errors"
	"sync"
	"time"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/wake"
)

const (
	// pollInterval limits how late a change arrives when its notification was lost.
	pollInterval = time.Second

	// channel is notified by every step of a sequencer that assigned positions (InsertStep).
	channel = "itemcast_position"
)

// Run follows the log until ctx ends: it listens on a connection of its own, and also polls. While the database is
// unavailable it retries.
func (f *Feed) Run(ctx context.Context) error {
	notified := wake.New()
	var listener sync.WaitGroup
	listener.Go(func() {
		db.Listen(ctx, f.pool, db.Listener{
			Channel:   channel,
			Log:       f.log,
			Connected: notified.Send,
			Notified:  func(string) { notified.Send() },
		})
	})
	defer listener.Wait()

	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		if err := f.catchUp(ctx); err != nil && ctx.Err() == nil {
			f.log.Warn("cannot read the change log; retrying", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-notified:
		case <-poll.C:
		}
	}
}

// catchUp reads until the log's end.
func (f *Feed) catchUp(ctx context.Context) error {
	for {
		changes, err := f.next(ctx)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			f.append(changes)
		}
		if len(changes) < readBatch {
			return nil
		}
	}
}

// next reads the changes after the head, or after the floor if some after the head have been dropped.
func (f *Feed) next(ctx context.Context) ([]*Change, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	q, head := store.New(f.pool), f.Head()
	changes, err := readAfter(ctx, q, head, readBatch)
	if !errors.Is(err, errDropped) {
		return changes, err
	}
	identity, err := q.FeedIdentity(ctx)
	if err != nil {
		return nil, err
	}
	return readAfter(ctx, q, max(head, Position(identity.Floor)), readBatch)
}

func (f *Feed) append(changes []*Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if changes[0].Position != f.head+1 { // the changes between have been dropped
		f.recent = ring{}
	}
	f.recent.append(changes)
	f.head = changes[len(changes)-1].Position
	close(f.advanced)
	f.advanced = make(chan struct{})
}
