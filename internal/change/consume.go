package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/wake"
)

const (
	consumeBatch      = 500
	consumeRetryDelay = time.Second
	consumeGrace      = 5 * time.Second // for the current batch when its consumer is stopped

	// minBatchInterval is the minimum time between the starts of two batches, so that under load more changes share a
	// batch, as with stepPause. A batch that takes longer is followed by minBatchPause only.
	minBatchInterval = 4 * time.Millisecond
	minBatchPause    = time.Millisecond

	// consumeRecheck is how long an idle consumer trusts the position that it remembers. A crash of Postgres takes back
	// a position whose commit did not wait for the disk, and no later change may come to show it.
	consumeRecheck = 5 * time.Second
)

// Work handles changes for a durable consumer, in the transaction tx. It may handle only the first of them, at least
// one, and returns how many it has handled.
type Work func(ctx context.Context, tx pgx.Tx, changes []*Change) (handled int, err error)

// Consume runs a durable consumer until ctx ends. It passes each change to work once, in order and in batches, and
// advances the consumer's position in the same transaction: the effects of work in the database happen exactly once per
// change. Nodes that run the same consumer take turns by batch.
//
// A new consumer starts at the log's floor. When work fails, the batch is retried after a second. When ctx ends, the
// current batch has five seconds to finish.
func (f *Feed) Consume(ctx context.Context, consumer string, work Work) error {
	var position Position
	for {
		waiting, stop := context.WithTimeout(ctx, consumeRecheck)
		_ = f.Wait(waiting, position) // its only error is the end of the context
		stop()
		if ctx.Err() != nil {
			return nil
		}
		began := time.Now()
		batch, cancel := withGrace(ctx, consumeGrace)
		next, more, err := f.consumeBatch(batch, consumer, work)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			f.log.Warn("a consumer of the change log failed; retrying", "consumer", consumer, "error", err)
			wake.Pause(ctx, consumeRetryDelay)
		default:
			position = next
			if !more {
				wake.Pause(ctx, max(minBatchPause, minBatchInterval-time.Since(began)))
			}
		}
	}
}

// consumeBatch returns the consumer's new position, and whether there was more to read.
func (f *Feed) consumeBatch(ctx context.Context, consumer string, work Work) (next Position, more bool, err error) {
	err = db.Write(ctx, f.pool, func(ctx context.Context, tx pgx.Tx) error {
		q, deferred := store.New(tx), store.New(db.Deferred(tx))
		if err := deferred.LockConsumer(ctx, consumer); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		position, err := consumerPosition(ctx, q, consumer)
		if err != nil {
			return fmt.Errorf("read position: %w", err)
		}
		// On the transaction's own connection: if every consumer needed a second one, they could all wait for each
		// other.
		changes, err := f.read(ctx, q, Position(position), consumeBatch)
		if err != nil {
			return err
		}
		next = Position(position)
		if len(changes) == 0 {
			return nil
		}
		handled, err := work(ctx, tx, changes)
		if err != nil {
			return err
		}
		next += Position(handled)
		more = handled < len(changes) || len(changes) == consumeBatch
		err = deferred.InsertConsumerPosition(ctx, store.InsertConsumerPositionParams{
			Consumer: consumer, Position: int64(next),
		})
		if err != nil {
			return fmt.Errorf("advance: %w", err)
		}
		return deferred.DeleteConsumerPosition(ctx, store.DeleteConsumerPositionParams{
			Consumer: consumer, Position: position,
		})
	})
	return next, more, err
}

// consumerPosition returns the consumer's position; the log's floor before its first batch.
func consumerPosition(ctx context.Context, q *store.Queries, consumer string) (int64, error) {
	position, err := q.ConsumerPosition(ctx, consumer)
	if !errors.Is(err, pgx.ErrNoRows) {
		return position, err
	}
	identity, err := q.FeedIdentity(ctx)
	return identity.Floor, err
}

// withGrace returns a context that ends when ctx has ended and the grace has passed.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	graced, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return graced, func() { stop(); cancel() }
}
