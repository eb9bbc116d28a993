package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
)

const (
	consumeBatch = 500
	consumeRetry = time.Second
	consumeGrace = 5 * time.Second // for a batch that is under way when its consumer is told to stop

	// consumePause is to batches of consumers what stepPause is to steps; theirs cost more. It counts from a batch's beginning, so that one that
	// takes a little longer delays nobody, but for consumeRest.
	consumePause = 4 * time.Millisecond
	consumeRest  = time.Millisecond
)

// Work is what a durable consumer does with changes, in a transaction: it handles the first of them, as many as it likes but at least one, and
// returns how many.
type Work func(ctx context.Context, tx pgx.Tx, changes []*Change) (handled int, err error)

// Consume runs a durable consumer until ctx ends: it hands each change once to work, in order and in batches, and advances the consumer's
// position in the transaction that work writes in. So work's effects in the database happen exactly once per change. Nodes that run the
// same consumer take turns by batch. A consumer seen for the first time starts at the log's beginning. When work fails, the batch is tried again
// after a second. A batch that is under way when ctx ends has five seconds to finish.
func (f *Feed) Consume(ctx context.Context, consumer string, work Work) error {
	var position Position
	for {
		if err := f.Wait(ctx, position); err != nil {
			return nil
		}
		began := time.Now()
		batch, cancel := graceful(ctx, consumeGrace)
		next, more, err := f.consumeBatch(batch, consumer, work)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			f.log.Warn("a consumer of the change log failed; trying again", "consumer", consumer, "err", err)
			rest(ctx, consumeRetry)
		default:
			position = next
			if !more {
				rest(ctx, max(consumeRest, consumePause-time.Since(began)))
			}
		}
	}
}

// consumeBatch returns where the consumer stands then, and whether there was more to read.
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
		// By the transaction's own connection: with one more for each consumer, a pool could run dry and everybody wait.
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
		if err := deferred.InsertConsumerPosition(ctx, store.InsertConsumerPositionParams{Consumer: consumer, Position: int64(next)}); err != nil {
			return fmt.Errorf("advance: %w", err)
		}
		return deferred.DeleteConsumerPosition(ctx, store.DeleteConsumerPositionParams{Consumer: consumer, Position: position})
	})
	return next, more, err
}

// consumerPosition is where the consumer stands: before its first batch, at the beginning of what is kept.
func consumerPosition(ctx context.Context, q *store.Queries, consumer string) (int64, error) {
	position, err := q.ConsumerPosition(ctx, consumer)
	if !errors.Is(err, pgx.ErrNoRows) {
		return position, err
	}
	identity, err := q.FeedIdentity(ctx)
	return identity.Floor, err
}

// graceful returns a context that ends so long after ctx.
func graceful(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return later, func() { stop(); cancel() }
}

// rest waits, or returns early when ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
