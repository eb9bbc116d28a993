package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	backlog                 = 100_000
	backlogChangesPerSecond = 200
	deadBeside              = 12 * time.Second // how long the other endpoint is measured while the first is dead
	drainPatience           = time.Minute
	tailPatience            = 10 * time.Second
)

// hookBacklog has a hundred thousand deliveries wait for an endpoint that answers nobody, and measures what another endpoint notices of it, then
// and while the first, which answers again, is sent all that waits. The attempts that hang end after 15 s and are made again 5 s later,
// and 5 min later should that hang too; so the dead comes back by then, and what still has to wait is told.
func hookBacklog(ctx context.Context, s *stage) (r result, err error) {
	gate := make(chan struct{})
	err = s.withHooks(ctx, []answer{onceOpen(gate)}, func(dead []*hooked) error {
		waiting, err := s.fill(ctx)
		if err != nil {
			return err
		}
		return s.withHooks(ctx, []answer{atOnce}, func(other []*hooked) error {
			r, err = s.drain(ctx, waiting, dead[0], other[0], gate)
			return err
		})
	})
	return r, err
}

// fill writes the backlog while the product is stopped: it would send at once what another hook asks for, and be measured with that.
func (s *stage) fill(ctx context.Context) ([]written, error) {
	resume, err := s.pause(ctx)
	if err != nil {
		return nil, err
	}
	defer resume()
	s.say("  writing %d changes", backlog)
	return s.writeAtOnce(ctx, backlog)
}

func (s *stage) drain(ctx context.Context, waiting []written, dead, other *hooked, gate chan struct{}) (r result, err error) {
	begun := time.Now()
	caughtUp, _, err := s.writeSteadily(ctx, pace{perSecond: backlogChangesPerSecond}) // behind the backlog in the log
	if err != nil {
		return r, err
	}
	if _, err := s.collect(ctx, caughtUp, []*hooked{other}); err != nil {
		return r, err
	}
	s.say("  the backlog waits after %s", time.Since(begun).Round(time.Millisecond))
	beside, _, err := s.writeSteadily(ctx, pace{perSecond: backlogChangesPerSecond, lasting: deadBeside})
	if err != nil {
		return r, err
	}

	s.say("  the dead one is back after %s", time.Since(begun).Round(time.Millisecond))
	close(gate)
	_, pid := s.product.where()
	used := cpuUsed(pid, s.product.postgresPID())
	begun = time.Now()
	due := len(waiting) + len(caughtUp) + len(beside)
	drained, stop := context.WithCancel(ctx)
	defer stop()
	group, _ := errgroup.WithContext(ctx)
	var took time.Duration
	var came int
	group.Go(func() (err error) {
		defer stop()
		limited, cancel := context.WithTimeout(ctx, drainPatience)
		defer cancel()
		if err := dead.await(limited, due); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		took = time.Since(begun)
		came, err = dead.count()
		return err
	})
	during, _, err := s.writeSteadily(ctx, pace{perSecond: backlogChangesPerSecond, lasting: drainPatience, until: drained.Done()})
	if err = errors.Join(err, group.Wait()); err != nil {
		return r, err
	}

	used = cpuUsed(pid, s.product.postgresPID()).minus(used)
	all := slices.Concat(caughtUp, beside, during)
	if _, err := s.collect(ctx, all, []*hooked{other}); err != nil {
		return r, err
	}
	left, err := s.leftOf(ctx, dead, len(waiting)+len(all))
	if err != nil {
		return r, err
	}
	then, now := join(beside, [][]arrival{other.all()}), join(during, [][]arrival{other.all()})
	return result{
		product: side{perSecond: float64(came) / took.Seconds(), latencies: now.fromCommitted},
		notes: []string{
			fmt.Sprintf("%d of %d deliveries in %s; %s after the last change, %d still waited. Lost or out of order: none; sent again after a timeout: %d.",
				came, due, took.Round(100*time.Millisecond), tailPatience, left, dead.repeated),
			fmt.Sprintf("CPU time each, with what the other is sent and the writing of it: %s.", used.by(came)),
			fmt.Sprintf("The other endpoint, at %d changes/s: %s while the first was dead, and shown while it was sent what waited.",
				backlogChangesPerSecond, then.fromCommitted.both()),
		},
	}, nil
}

// leftOf gives a hook a little longer, and tells how many of its deliveries wait even then. It is an error should they not be pending.
func (s *stage) leftOf(ctx context.Context, h *hooked, of int) (left int, err error) {
	const counted = 1000 // the product counts no further
	limited, cancel := context.WithTimeout(ctx, tailPatience)
	defer cancel()
	if err := h.await(limited, of); err == nil || !errors.Is(err, context.DeadlineExceeded) {
		return 0, err
	}
	came, err := h.count()
	if err != nil {
		return 0, err
	}
	told, err := s.api(ctx, http.MethodGet, h.path, "")
	if err != nil {
		return 0, err
	}
	pending, err := strconv.Atoi(between(told, `"pending":`, `,`))
	if left = of - came; err == nil && pending < min(left, counted) {
		err = fmt.Errorf("%d deliveries are missing, of which %d are pending", left, pending)
	}
	return left, err
}
