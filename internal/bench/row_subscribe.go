package bench

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

const (
	changesPerSecond = 1000
	subscribers      = 4
	writers          = 16
	writingFor       = 10 * time.Second
	arrivalPatience  = 10 * time.Second

	p50Budget = 5 * time.Millisecond
	p99Budget = 15 * time.Millisecond
)

// revision names a change: an item has each revision once.
type revision struct {
	item uuid.UUID
	n    int64
}

// written is a change as its writer knows it. Changed by the warm-up, it is followed but not measured.
type written struct {
	revision
	sent, answered time.Time
	warmUp         bool
}

// subscribe measures from commit to subscriber. The changes are made through the product's REST API, because that is the way they go in use:
// the node that commits also sequences, reads and sends. Its answer comes after the commit, so that answer → frame is a little less than
// commit → frame; occurredAt, which Postgres takes when the item's row is held and before it is written, gives a little more. Both are told.
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
	changes, rate, err := s.writeSteadily(reading)
	if err != nil {
		return result{}, err
	}
	for n, one := range all {
		if err := one.await(ctx, len(changes)); err != nil {
			return result{}, fmt.Errorf("subscriber %d got %d of %d changes: %w", n+1, one.count(), len(changes), err)
		}
	}
	return judge(changes, rate, all), nil
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

// writeSteadily changes items at a fixed rate, each writer its own items. A writer that falls behind catches up, so that the rate holds.
func (s *stage) writeSteadily(ctx context.Context) (all []written, perSecond float64, err error) {
	const interval = time.Second / changesPerSecond * writers
	group, ctx := errgroup.WithContext(ctx)
	each := make([][]written, writers)
	begun := time.Now()
	for n := range writers {
		group.Go(func() error {
			c, err := dial(ctx, s.product.addr)
			if err != nil {
				return err
			}
			defer c.close()
			start := begun.Add(interval * time.Duration(n) / writers)
			for k := 0; ; k++ {
				due := start.Add(interval * time.Duration(k))
				if due.Sub(begun) >= warmUp+writingFor {
					return nil
				}
				if err := sleepUntil(ctx, due); err != nil {
					return err
				}
				i := s.items[1+(k*writers+n)%(len(s.items)-len(s.items)%writers-writers)]
				one, err := c.change(s.product.patch(i, fmt.Appendf(nil, `{"name":"Change %d of writer %d"}`, k, n)), i.ID)
				if err != nil {
					return fmt.Errorf("write: %w", err)
				}
				one.warmUp = due.Sub(begun) < warmUp
				each[n] = append(each[n], one)
			}
		})
	}
	err = group.Wait()
	all = slices.Concat(each...)
	return all, float64(len(all)) / time.Since(begun).Seconds(), err
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// change makes a request that changes an item; the answer's ETag says which revision came of it.
func (c *client) change(request []byte, id uuid.UUID) (written, error) {
	w := written{revision: revision{item: id}, sent: time.Now()}
	header, _, err := c.call(call{request, -smallestDocument})
	if err != nil {
		return w, err
	}
	w.answered = time.Now()
	w.n, err = strconv.ParseInt(strings.Trim(header.Get("ETag"), `"`), 10, 64)
	return w, err
}

// judge joins what was written with what arrived.
func judge(changes []written, rate float64, all []*subscriber) result {
	byRevision := make(map[revision]written, len(changes))
	for _, w := range changes {
		byRevision[w.revision] = w
	}
	var fromAnswer, fromRow, fromRequest latencies
	var lost, disordered int
	for _, one := range all {
		arrived := make(map[revision]bool, len(one.frames))
		last := map[uuid.UUID]int64{}
		for k, f := range one.frames {
			if n, ok := last[f.item]; arrived[f.revision] || ok && f.n != n+1 || k < len(all[0].frames) && f.revision != all[0].frames[k].revision {
				disordered++
			}
			arrived[f.revision], last[f.item] = true, f.n
			w, ours := byRevision[f.revision]
			if !ours || w.warmUp {
				continue
			}
			fromAnswer = append(fromAnswer, max(0, f.received.Sub(w.answered)))
			fromRow = append(fromRow, f.received.Sub(f.occurredAt))
			fromRequest = append(fromRequest, f.received.Sub(w.sent))
		}
		for _, w := range changes {
			if !arrived[w.revision] {
				lost++
			}
		}
	}
	for _, l := range []latencies{fromAnswer, fromRow, fromRequest} {
		slices.Sort(l)
	}
	met := func(l latencies) bool { return l.percentile(50) <= p50Budget && l.percentile(99) <= p99Budget }
	r := result{product: side{perSecond: rate, latencies: fromAnswer}}
	r.met = met(fromAnswer) && lost == 0 && disordered == 0 && rate >= 0.99*changesPerSecond
	strict := "which meets the budget too"
	if !met(fromRow) {
		strict = "which would miss the budget"
	}
	r.notes = []string{
		fmt.Sprintf("%d subscribers, %d changes by REST; lost %d, repeated or out of order %d. Shown: writer's answer → frame.", len(all), len(changes), lost, disordered),
		fmt.Sprintf("row held in Postgres, before UPDATE and COMMIT → frame: %s, %s; request sent → frame: %s.", fromRow.both(), strict, fromRequest.both()),
	}
	return r
}
