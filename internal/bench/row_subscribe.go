package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

const (
	subscribers      = 4
	changesPerSecond = 1000
	writingTime      = 10 * time.Second
)

// subscribe measures the time from a commit to its subscribers. It starts at the response to COMMIT and, as a check,
// before the transaction is sent; the commit happens between the two. The writer makes the changes: a thousand PATCHes
// a second would occupy two cores, and the row would measure their queue.
func subscribe(ctx context.Context, s *stage) (result, error) {
	r, err := s.alternate(ctx, s.rounds(1), p50Of, s.sides(subscribeRound, nil))
	r.checkDelivery(changesPerSecond)
	r.note(func(one side) string {
		return fmt.Sprintf("%d subscribers, %d changes; lost %d, repeated or out of order %d. "+
			"Shown: response to COMMIT → frame. Transaction sent → frame: %s.",
			subscribers, one.changes, one.lost, one.disordered, one.sinceSent)
	})
	const note = "CPU time is of a change, with its transaction and %d frames; at %d/s there are %d µs."
	perChange := runtime.NumCPU() * 1_000_000 / changesPerSecond
	r.notes = append(r.notes, fmt.Sprintf(note, subscribers, changesPerSecond, perChange))
	return r, err
}

func subscribeRound(ctx context.Context, b *build) (round, error) {
	release, err := b.leaveOpen(ctx)
	if err != nil {
		return round{}, fmt.Errorf("leave a transaction open: %w", err)
	}
	defer release()

	group, reading := errgroup.WithContext(ctx)
	all := make([]*subscriber, 0, subscribers)
	defer func() {
		for _, one := range all {
			one.close()
		}
		_ = group.Wait()
	}()
	for range subscribers {
		one, err := openSubscriber(reading, b.addr)
		if err != nil {
			return round{}, fmt.Errorf("subscribe: %w", err)
		}
		all = append(all, one)
		group.Go(one.read)
	}
	used := b.processes().cpuUsed()
	changes, rate, err := b.writeSteadily(reading, pace{perSecond: changesPerSecond, lasting: writingTime})
	if err != nil {
		return round{}, err
	}
	used = b.processes().cpuUsed().minus(used)
	arrivals := make([][]arrival, len(all))
	for n, one := range all {
		if err := one.await(ctx, len(changes)); err != nil {
			return round{}, fmt.Errorf("subscriber %d received %d of %d changes: %w", n+1, one.count(), len(changes), err)
		}
		if arrivals[n], err = one.arrivals(); err != nil {
			return round{}, err
		}
	}
	r := deliveries(changes, arrivals)
	r.perSecond, r.count, r.cpu = rate, len(changes), used
	return r, nil
}

// leaveOpen leaves a transaction open that holds a row and has drawn a change id.
func (b *build) leaveOpen(ctx context.Context) (release func(), err error) {
	conn, err := pgx.ConnectConfig(ctx, b.pool.Config().ConnConfig.Copy())
	if err != nil {
		return nil, err
	}
	release = func() { _ = conn.Close(context.WithoutCancel(ctx)) } // Postgres rolls back
	for _, sql := range []string{
		"SET idle_in_transaction_session_timeout = 0",
		"BEGIN",
		fmt.Sprintf("SELECT FROM item WHERE id = '%s' FOR UPDATE", b.items[0].ID),
		fmt.Sprintf(`INSERT INTO item_change
			(account_id, item_id, revision, kind, changed_fields, previous, trigger, document, occurred_at)
			SELECT account_id, id, revision + 1, 'UPDATED', '{}', '{}', 'hook', document, now() FROM item
			WHERE id = '%s'`, b.items[0].ID),
	} {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}
