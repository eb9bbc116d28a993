package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// soakSize is the load of a soak of subscribers.
type soakSize struct {
	perSecond     int
	residents     int           // subscribers that follow from the beginning to the end, over every transport
	visitors      int           // subscribers that connect without a cursor, with another query, for a short time
	maxConnection time.Duration // length of a connection
	maxVisit      time.Duration
	maxStall      time.Duration // how long a subscriber stops reading
	sampleEvery   time.Duration // of memory
}

var (
	fullSoak = soakSize{
		perSecond: changesPerSecond, residents: 24, visitors: 8,
		maxConnection: 15 * time.Second, maxVisit: 3 * time.Second, maxStall: 30 * time.Second,
		sampleEvery: 5 * time.Second,
	}
	smallSoak = soakSize{
		perSecond: 100, residents: 12, visitors: 4,
		maxConnection: 2 * time.Second, maxVisit: time.Second, maxStall: time.Second,
		sampleEvery: time.Second,
	}
)

// settlePause is the time in which a part of the node that is starting has started.
const settlePause = time.Second

// soakSubscribers changes items at a steady rate while subscribers connect, stall, vanish and resume at random. It
// fails when a resident misses a change or gets one twice, and when memory or goroutines leak.
func soakSubscribers(ctx context.Context, b *build, c SoakConfig, lasting time.Duration) error {
	size := fullSoak
	if c.Short {
		size = smallSoak
	}
	start, err := b.startOfSoak(ctx)
	if err != nil {
		return err
	}
	before, err := b.startedMemory(ctx)
	if err != nil {
		return err
	}

	visits, stopVisits := context.WithCancel(ctx)
	defer stopVisits()
	group, running := errgroup.WithContext(ctx)
	residents := make([]*soaker, size.residents)
	for n := range residents {
		residents[n] = newResident(b, n, size, start)
		group.Go(func() error { return residents[n].follow(running) })
	}
	visitors := make([]*soaker, size.visitors)
	for n := range visitors {
		visitors[n] = &soaker{node: b.node, n: n, size: size, visitor: true}
		group.Go(func() error { return visitors[n].visit(running, visits) })
	}
	var samples []memory
	group.Go(func() error {
		samples = b.sampleMemory(running, visits, size.sampleEvery)
		return nil
	})
	changes, rate, err := b.writeSteadily(running, pace{perSecond: size.perSecond, lasting: lasting})
	if err != nil {
		return errors.Join(err, group.Wait())
	}
	stopVisits()
	end := maps.Clone(start.revisions)
	for _, w := range changes {
		end[w.item] = max(end[w.item], w.n)
	}
	for _, one := range residents {
		one.finish(end)
	}
	tooLate := time.AfterFunc(settleTimeout, func() {
		for _, one := range residents {
			one.late.Store(true)
		}
	})
	defer tooLate.Stop()
	if err := group.Wait(); err != nil {
		return err
	}
	after, err := b.quietMemory(ctx, before)
	if err != nil {
		return err
	}
	r := soakReport{changes: len(changes), rate: rate, before: before, after: after, samples: samples, short: c.Short}
	for _, one := range append(residents, visitors...) {
		r.add(one)
	}
	fmt.Fprint(c.Out, r.text())
	return r.check()
}

// soakStart is where residents begin: a cursor, and the revision of each item at it.
type soakStart struct {
	cursor    string
	revisions map[uuid.UUID]int64
}

func (b *build) startOfSoak(ctx context.Context) (start soakStart, err error) {
	body, err := b.api(ctx, http.MethodGet, "/api/v1/changes?limit=1", "")
	if err != nil {
		return start, err
	}
	start.cursor = between(body, `"cursor":"`, `"`)
	start.revisions = map[uuid.UUID]int64{}
	rows, err := b.pool.Query(ctx, "SELECT id, revision FROM item")
	if err != nil {
		return start, err
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		var n int64
		if err := rows.Scan(&id, &n); err != nil {
			return start, err
		}
		start.revisions[id] = n
	}
	return start, rows.Err()
}

// startedMemory measures once the node has started all its parts. The last is the maintenance of the queue of jobs,
// which follows when the node leads the queue.
func (b *build) startedMemory(ctx context.Context) (m memory, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for leads := false; !leads; {
		if err := b.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM river_leader)").Scan(&leads); err != nil {
			return m, err
		}
		if err := sleep(ctx, settlePause); err != nil {
			return m, fmt.Errorf("wait until the node leads the queue of jobs: %w", err)
		}
	}
	for starting := true; starting; {
		before := m.goroutines
		if m, err = b.collectedMemory(ctx); err != nil {
			return m, err
		}
		if starting = before == 0 || m.goroutines > before; starting {
			if err := sleep(ctx, settlePause); err != nil {
				return m, fmt.Errorf("wait until the node has started: %w", err)
			}
		}
	}
	return m, nil
}

// sampleMemory measures until a context ends.
func (b *build) sampleMemory(ctx, until context.Context, every time.Duration) (samples []memory) {
	for sleep(until, every) == nil {
		m, err := b.collectedMemory(ctx)
		if err != nil {
			continue
		}
		samples = append(samples, m)
		if len(samples)%6 == 0 {
			b.logf("heap %.1f MB, resident %.1f MB, %.0f goroutines", m.heap/1e6, m.resident/1e6, m.goroutines)
		}
	}
	return samples
}
