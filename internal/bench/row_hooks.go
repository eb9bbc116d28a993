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

const hooksPatience = 60 * time.Second

// hooks measures how many deliveries a second the product makes to a number of endpoints. The changes are in the log before it begins, written
// while the product was stopped: what is measured is everything from the log to the endpoint, and what it costs to write changes is not. Beside
// it, a loop posts as many documents on as many connections.
func hooks(endpoints, changes int, atLeast float64) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		connections, repeated := 0, 0
		answers := slices.Repeat([]answer{atOnce}, endpoints)
		r, err := s.alternate(s.Rounds, atLeast, [2]func() (round, error){
			func() (r round, err error) {
				err = s.withHooks(ctx, answers, func(all []*hooked) error {
					r, err = s.deliver(ctx, all, changes)
					for _, h := range all {
						connections, repeated = max(connections, h.most), repeated+h.repeated
					}
					return err
				})
				return r, err
			},
			func() (round, error) { return s.post(ctx, posting{Connections: connections, Posts: changes}, answers) },
		})
		r.notes = []string{fmt.Sprintf("%d × %d deliveries a round, up to %d connections to each endpoint; the product signs, the baseline does not. "+
			"Missed or out of order: none; repeated: %d.", endpoints, changes, connections, repeated)}
		return r, err
	}
}

// deliver has changes wait for the product, and measures how fast they come once it goes on.
func (s *stage) deliver(ctx context.Context, all []*hooked, changes int) (round, error) {
	resume, err := s.pause(ctx)
	if err != nil {
		return round{}, err
	}
	defer resume()
	written, err := s.writeAtOnce(ctx, changes)
	if err != nil {
		return round{}, err
	}
	endpoints := make([]*endpoint, len(all))
	for i, h := range all {
		endpoints[i] = h.endpoint
	}
	return s.timed(s.product, endpoints, len(all)*len(written), func() error {
		resume()
		ctx, cancel := context.WithTimeout(ctx, hooksPatience)
		defer cancel()
		return awaitAll(ctx, all, len(written))
	})
}

// post has the baseline post to endpoints of its own.
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
	r, err = s.timed(s.baseline, all, len(all)*p.Posts, func() error {
		_, err := s.once(ctx, s.baseline.addr, s.baseline.request(http.MethodPost, "/post", "", body))
		return err
	})
	for _, e := range all {
		if n, fault := e.count(); err == nil && n != p.Posts {
			err = errors.Join(fmt.Errorf("%d of %d posts have come", n, p.Posts), fault)
		}
	}
	return r, err
}

// timed measures what a server sends to endpoints, so many times: the rate from the first arrival to the last, and the CPU time of all of it.
func (s *stage) timed(of server, at []*endpoint, count int, do func() error) (round, error) {
	_, pid := of.where()
	used := cpuUsed(pid, s.product.postgresPID())
	if err := do(); err != nil {
		return round{}, err
	}
	r := round{count: count, cpu: cpuUsed(pid, s.product.postgresPID()).minus(used)}
	var first, last time.Time
	for _, e := range at {
		for _, a := range e.all() {
			if first.IsZero() || a.received.Before(first) {
				first = a.received
			}
			if a.received.After(last) {
				last = a.received
			}
		}
	}
	if took := last.Sub(first); took > 0 {
		r.perSecond = float64(count) / took.Seconds()
	}
	return r, nil
}
