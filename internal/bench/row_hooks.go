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

// deliver has changes wait for the product, and measures from when it goes on until the last has come to every endpoint.
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
	return s.timed(s.product, len(all)*len(written), func() error {
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
	r, err = s.timed(s.baseline, len(all)*p.Posts, func() error {
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

// timed measures what a server does so many times.
func (s *stage) timed(of server, count int, do func() error) (round, error) {
	_, pid := of.where()
	used, begun := cpuUsed(pid, s.product.postgresPID()), time.Now()
	if err := do(); err != nil {
		return round{}, err
	}
	took := time.Since(begun)
	return round{count: count, perSecond: float64(count) / took.Seconds(), cpu: cpuUsed(pid, s.product.postgresPID()).minus(used)}, nil
}
