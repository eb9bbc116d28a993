package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const hooksTimeout = 60 * time.Second

// hooks measures how many deliveries a second reach a number of endpoints. The changes are written while the node is
// paused: the row measures everything from the log to the endpoint, without the cost of writing. The baseline posts
// as many documents on as many connections.
func hooks(endpoints, changes int) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		connections := 0
		answers := slices.Repeat([]answer{answerAtOnce}, endpoints)
		r, err := s.alternate(ctx, s.rounds(s.Rounds), rateOf, s.sides(
			func(ctx context.Context, b *build) (r round, err error) {
				err = b.withHooks(ctx, answers, func(all []*hook) error {
					r, err = b.deliver(ctx, all, changes)
					for _, h := range all {
						r.repeated += h.repeats()
						if b == s.this {
							connections = max(connections, h.maxConns)
						}
					}
					return err
				})
				return r, err
			},
			func(ctx context.Context) (round, error) {
				return s.post(ctx, posting{Connections: connections, Posts: changes}, answers)
			},
		))
		r.note(func(one side) string {
			return fmt.Sprintf("%d × %d deliveries a round; Itemcast signs, the baseline does not. "+
				"Missed or out of order: none; repeated: %d.", endpoints, changes, one.repeated)
		})
		r.notes = append(r.notes, fmt.Sprintf("up to %d connections to each endpoint.", connections))
		return r, err
	}
}

// deliver writes changes while the node is paused, and measures their delivery.
func (b *build) deliver(ctx context.Context, all []*hook, changes int) (round, error) {
	resume, err := b.pause(ctx)
	if err != nil {
		return round{}, err
	}
	defer resume()
	written, err := b.writeAtOnce(ctx, changes)
	if err != nil {
		return round{}, err
	}
	endpoints := make([]*endpoint, len(all))
	for i, h := range all {
		endpoints[i] = h.endpoint
	}
	return measureArrivals(b.processes(), endpoints, func() error {
		resume()
		ctx, cancel := context.WithTimeout(ctx, hooksTimeout)
		defer cancel()
		return awaitAll(ctx, all, len(written))
	})
}

// post makes the baseline post to endpoints of its own.
func (s *stage) post(ctx context.Context, p posting, answers []answer) (r round, err error) {
	var all []*endpoint
	defer func() {
		for _, e := range all {
			e.close()
		}
	}()
	for _, a := range answers {
		e, err := openEndpoint(a)
		if err != nil {
			return round{}, err
		}
		all, p.URLs = append(all, e), append(p.URLs, e.url())
	}
	body, err := json.Marshal(p)
	if err != nil {
		return round{}, err
	}
	r, err = measureArrivals(s.baselineProcesses(), all, func() error {
		_, _, err := once(ctx, s.baseline.addr, s.baseline.request(http.MethodPost, "/post", "", body))
		return err
	})
	for _, e := range all {
		if n, fault := e.count(); err == nil && n != p.Posts {
			err = errors.Join(fmt.Errorf("%d of %d posts arrived", n, p.Posts), fault)
		}
	}
	return r, err
}

// measureArrivals measures what arrives at endpoints while send runs: the rate between the first and the last
// arrival, and the CPU time.
func measureArrivals(of processes, at []*endpoint, send func() error) (round, error) {
	used := of.cpuUsed()
	if err := send(); err != nil {
		return round{}, err
	}
	r := round{cpu: of.cpuUsed().minus(used)}
	var first, last time.Time
	for _, e := range at {
		for _, a := range e.all() {
			r.count++
			if first.IsZero() || a.received.Before(first) {
				first = a.received
			}
			if a.received.After(last) {
				last = a.received
			}
		}
	}
	if took := last.Sub(first); took > 0 {
		r.perSecond = float64(r.count) / took.Seconds()
	}
	return r, nil
}
