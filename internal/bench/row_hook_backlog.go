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
	besideTime              = 12 * time.Second // how long the other endpoint is measured while the first hangs
	drainTimeout            = time.Minute
	tailTimeout             = 10 * time.Second
)

// hookBacklog measures how the latency of one endpoint suffers from another with a backlog of 100,000 deliveries: while
// the other hangs, and while it answers again and receives its backlog. Attempts that hang end after 15 s. The second
// attempts come 5 s later, and the third 5 min after those. So the endpoint recovers before its second attempts end,
// and the report says how many deliveries still wait for their third.
func hookBacklog(ctx context.Context, s *stage) (result, error) {
	notes := map[*build][]string{}
	r, err := s.alternate(ctx, s.rounds(1), rateOf, s.sides(func(ctx context.Context, b *build) (r round, err error) {
		r, notes[b], err = b.hookBacklog(ctx)
		return r, err
	}, nil))
	r.notes = append(r.notes, notes[s.this]...)
	if s.other != nil {
		for _, note := range notes[s.other] {
			r.notes = append(r.notes, "the other build: "+note)
		}
	}
	return r, err
}

func (b *build) hookBacklog(ctx context.Context) (r round, notes []string, err error) {
	gate := make(chan struct{})
	err = b.withHooks(ctx, []answer{answerOnceOpen(gate)}, func(hanging []*hook) error {
		waiting, err := b.fill(ctx)
		if err != nil {
			return err
		}
		return b.withHooks(ctx, []answer{answerAtOnce}, func(other []*hook) error {
			d := drain{build: b, hanging: hanging[0], other: other[0], open: func() { close(gate) }}
			r, notes, err = d.measure(ctx, len(waiting))
			return err
		})
	})
	return r, notes, err
}

// fill writes the backlog while the node is paused: a running node would deliver it at once to other hooks.
func (b *build) fill(ctx context.Context) ([]written, error) {
	resume, err := b.pause(ctx)
	if err != nil {
		return nil, err
	}
	defer resume()
	b.logf("  writing %d changes", backlog)
	return b.writeAtOnce(ctx, backlog)
}

// drain is the delivery of a backlog to one endpoint, while another receives too.
type drain struct {
	*build
	hanging, other *hook
	open           func() // makes the hanging endpoint answer
}

func (d *drain) measure(ctx context.Context, waiting int) (r round, notes []string, err error) {
	begun := time.Now()
	caughtUp, _, err := d.writeSteadily(ctx, pace{perSecond: backlogChangesPerSecond}) // behind the backlog in the log
	if err != nil {
		return r, nil, err
	}
	if _, err := collect(ctx, caughtUp, []*hook{d.other}); err != nil {
		return r, nil, err
	}
	d.logf("  the backlog waits after %s", time.Since(begun).Round(time.Millisecond))
	before, _, err := d.writeSteadily(ctx, pace{perSecond: backlogChangesPerSecond, lasting: besideTime})
	if err != nil {
		return r, nil, err
	}
	d.logf("  the endpoint answers again after %s", time.Since(begun).Round(time.Millisecond))
	due := waiting + len(caughtUp) + len(before)
	r, during, err := d.whileDraining(ctx, due)
	if err != nil {
		return r, nil, err
	}
	total := due + len(during)
	if _, err := collect(ctx, slices.Concat(caughtUp, before, during), []*hook{d.other}); err != nil {
		return r, nil, err
	}
	left, err := d.left(ctx, total)
	if err != nil {
		return r, nil, err
	}
	then, now := deliveries(before, [][]arrival{d.other.all()}), deliveries(during, [][]arrival{d.other.all()})
	r.latencies = now.latencies
	return r, []string{
		fmt.Sprintf("%d of %d deliveries in %.1f s; %s after the last change, %d still waited. "+
			"Lost or out of order: none; repeated after a timeout: %d.",
			r.count, due, float64(r.count)/r.perSecond, tailTimeout, left, d.hanging.repeats()),
		"CPU time is of a delivery to the first endpoint, with the deliveries to the other and the writing of changes.",
		fmt.Sprintf("The other endpoint, at %d changes/s: %s while the first hung; shown is its time while the first "+
			"received its backlog.", backlogChangesPerSecond, then.latencies),
	}, nil
}

// whileDraining makes the endpoint answer, and measures the delivery of its backlog while more changes are written.
func (d *drain) whileDraining(ctx context.Context, due int) (r round, during []written, err error) {
	d.open()
	used, begun := d.processes().cpuUsed(), time.Now()
	drained, stop := context.WithCancel(ctx)
	defer stop()
	group, _ := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		defer stop()
		limited, cancel := context.WithTimeout(ctx, drainTimeout)
		defer cancel()
		if err := d.hanging.await(limited, due); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		took := time.Since(begun)
		r.count, err = d.hanging.count()
		r.perSecond = float64(r.count) / took.Seconds()
		return err
	})
	p := pace{perSecond: backlogChangesPerSecond, lasting: drainTimeout, until: drained.Done()}
	during, _, err = d.writeSteadily(ctx, p)
	err = errors.Join(err, group.Wait())
	r.cpu = d.processes().cpuUsed().minus(used)
	return r, during, err
}

// left waits for tailTimeout and returns how many of the deliveries still wait. It returns an error when they are not
// pending.
func (d *drain) left(ctx context.Context, total int) (left int, err error) {
	const maxCounted = 1000 // the API's limit for pending
	limited, cancel := context.WithTimeout(ctx, tailTimeout)
	defer cancel()
	if err := d.hanging.await(limited, total); err == nil || !errors.Is(err, context.DeadlineExceeded) {
		return 0, err
	}
	arrived, err := d.hanging.count()
	if err != nil {
		return 0, err
	}
	body, err := d.api(ctx, http.MethodGet, d.hanging.path, "")
	if err != nil {
		return 0, err
	}
	pending, err := strconv.Atoi(between(body, `"pending":`, `,`))
	if left = total - arrived; err == nil && pending < min(left, maxCounted) {
		err = fmt.Errorf("%d deliveries are missing, and only %d are pending", left, pending)
	}
	return left, err
}
