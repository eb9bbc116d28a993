package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

const (
	subscribers     = 4
	arrivalPatience = 10 * time.Second

	p50Budget = 5 * time.Millisecond
	p99Budget = 15 * time.Millisecond
)

// revision names a change: an item has each revision once.
type revision struct {
	item uuid.UUID
	n    int64
}

// subscribe measures from commit to subscriber: from COMMIT's answer, and from just before the transaction was sent, between which the commit lies. The
// changes are not made by PATCH, which has a row of its own: a thousand of them a second are work enough for two cores, and the
// measurement would be of a queue. They are made by transactions with the product's own statements, and sequenced by its own code, as
// when another node had made them; all that follows is the product's.
func subscribe(ctx context.Context, s *stage) (result, error) {
	release, err := s.leaveOpen(ctx)
	if err != nil {
		return result{}, fmt.Errorf("leave a transaction open: %w", err)
	}
	defer release()

	group, reading := errgroup.WithContext(ctx)
	all := make([]*subscriber, subscribers)
	defer func() {
		for _, one := range all {
			if one != nil {
				one.close()
			}
		}
		_ = group.Wait()
	}()
	for n := range all {
		if all[n], err = openSubscriber(reading, s.product.addr); err != nil {
			return result{}, fmt.Errorf("subscribe: %w", err)
		}
		group.Go(all[n].read)
	}
	_, pid := s.product.where()
	steps, err := s.steps(ctx)
	if err != nil {
		return result{}, err
	}
	before := cpuUsed(pid, s.product.postgresPID())
	changes, rate, err := s.writeSteadily(reading, pace{perSecond: changesPerSecond, lasting: writingFor})
	if err != nil {
		return result{}, err
	}
	used := cpuUsed(pid, s.product.postgresPID()).minus(before).by(len(changes))
	after, err := s.steps(ctx)
	if err != nil {
		return result{}, err
	}
	for n, one := range all {
		if err := one.await(ctx, len(changes)); err != nil {
			return result{}, fmt.Errorf("subscriber %d got %d of %d changes: %w", n+1, one.count(), len(changes), err)
		}
	}
	arrivals := make([][]arrival, len(all))
	for n, one := range all {
		if arrivals[n], err = one.arrivals(); err != nil {
			return result{}, err
		}
	}
	r := join(changes, arrivals).judge(rate)
	r.notes = append(r.notes, fmt.Sprintf("CPU time a change, with its transaction and %d frames: %s; at %d/s there are %d µs. The sequencers took %d steps.",
		len(all), used, changesPerSecond, runtime.NumCPU()*1_000_000/changesPerSecond, after-steps))
	return r, nil
}

// steps is how many steps the sequencers have taken.
func (s *stage) steps(ctx context.Context) (n int64, err error) {
	err = s.pool.QueryRow(ctx, "SELECT max(step) FROM feed_head").Scan(&n)
	return n, err
}

// leaveOpen begins a transaction that holds a row and has drawn a change id, and leaves it.
func (s *stage) leaveOpen(ctx context.Context) (release func(), err error) {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return nil, err
	}
	release = func() { _ = conn.Close(context.WithoutCancel(ctx)) } // which rolls back
	for _, sql := range []string{
		"SET idle_in_transaction_session_timeout = 0",
		"BEGIN",
		fmt.Sprintf("SELECT FROM item WHERE id = '%s' FOR UPDATE", s.items[0].ID),
		fmt.Sprintf(`INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous, trigger, document, occurred_at)
			SELECT account_id, id, revision + 1, 'UPDATED', '{}', '{}', 'hook', document, now() FROM item WHERE id = '%s'`, s.items[0].ID),
	} {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}

// delivered is what became of the changes, over all subscribers.
type delivered struct {
	changes, subscribers     int
	lost, disordered         int
	fromCommitted, fromBegun latencies
}

// join finds for every frame who wrote it, and when. A frame is out of order when its item's revision is not the next, or when another
// subscriber got another frame in its place; nobody but the writers writes.
func join(changes []written, all [][]arrival) delivered {
	d := delivered{changes: len(changes), subscribers: len(all)}
	byRevision := make(map[revision]written, len(changes))
	for _, w := range changes {
		byRevision[w.revision] = w
	}
	for _, one := range all {
		arrived := make(map[revision]bool, len(one))
		last := map[uuid.UUID]int64{}
		for k, f := range one {
			n, again := last[f.item]
			if again && f.n != n+1 || k >= len(all[0]) || f.revision != all[0][k].revision {
				d.disordered++
			}
			arrived[f.revision], last[f.item] = true, f.n
			if w, ok := byRevision[f.revision]; ok && !w.warmUp {
				d.fromCommitted = append(d.fromCommitted, max(0, f.received.Sub(w.committed))) // a frame may overtake COMMIT's answer
				d.fromBegun = append(d.fromBegun, f.received.Sub(w.begun))
			}
		}
		for _, w := range changes {
			if !arrived[w.revision] {
				d.lost++
			}
		}
	}
	for _, l := range []latencies{d.fromCommitted, d.fromBegun} {
		slices.Sort(l)
	}
	return d
}

func (d delivered) judge(rate float64) result {
	inTime := func(l latencies) bool { return l.percentile(50) <= p50Budget && l.percentile(99) <= p99Budget }
	strict := "which meets the budget too"
	if !inTime(d.fromBegun) {
		strict = "which would miss the budget"
	}
	return result{
		product: side{perSecond: rate, latencies: d.fromCommitted},
		met:     inTime(d.fromCommitted) && d.lost == 0 && d.disordered == 0 && rate >= 0.99*changesPerSecond,
		notes: []string{
			fmt.Sprintf("%d subscribers, %d changes; lost %d, repeated or out of order %d. Shown: COMMIT answered → frame.", d.subscribers, d.changes, d.lost,
				d.disordered),
			fmt.Sprintf("Transaction sent, COMMIT with it → frame: %s, %s.", d.fromBegun.both(), strict),
		},
	}
}
