package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	deadRounds           = 4
	deadChangesPerSecond = 100
	deadFor              = 16 * time.Second // longer than an attempt may take: those that hang end, and what follows them hangs
	sound                = 7                // of ten endpoints
	addedBudget          = 1.05
)

// conditions are those of the three endpoints beside the sound ones.
var conditions = []struct {
	name    string
	answers func() []answer
}{
	{"all ten are sound", func() []answer { return []answer{atOnce, atOnce, atOnce} }},
	{"one hangs", func() []answer { return []answer{never, atOnce, atOnce} }},
	{"one hangs, one answers 500, one takes one request a second", func() []answer { return []answer{never, broken, oneASecond()} }},
}

// hookDead measures what bad endpoints cost the others: by how much the p99 of seven rises, from commit to received, when the three beside them
// are bad. The conditions take turns, each time with hooks that are new, so that nothing of one is left in the next.
func hookDead(ctx context.Context, s *stage) (r result, err error) {
	p99s := make([][]float64, len(conditions)) // of each round, in milliseconds
	all := make([]latencies, len(conditions))
	for n := range deadRounds {
		for k, c := range conditions {
			l, err := s.besideOthers(ctx, c.answers())
			if err != nil {
				return r, fmt.Errorf("when %s: %w", c.name, err)
			}
			all[k] = append(all[k], l...)
			p99s[k] = append(p99s[k], float64(l.percentile(99))/float64(time.Millisecond))
			s.say("  round %d, %s: %s", n+1, c.name, l.both())
		}
	}
	r.met = true
	for k, c := range conditions {
		slices.Sort(all[k])
		of := median(p99s[k]) / median(p99s[0])
		r.met = r.met && of <= addedBudget
		r.notes = append(r.notes, fmt.Sprintf("When %s: p99 of the seven %.1f ms (rounds: %s), %+.0f %%; over all rounds %s.",
			c.name, median(p99s[k]), strings.Trim(fmt.Sprintf("%.1f", p99s[k]), "[]"), 100*(of-1), all[k].both()))
	}
	r.product.latencies, r.baseline.latencies = all[1], all[0]
	r.notes = append(r.notes, fmt.Sprintf("%d changes/s to ten endpoints. Shown: one hangs; as the baseline: all are sound. Lost or out of order: none.",
		deadChangesPerSecond))
	return r, nil
}

// besideOthers measures the sound endpoints beside three others.
func (s *stage) besideOthers(ctx context.Context, others []answer) (l latencies, err error) {
	answers := append(slices.Repeat([]answer{atOnce}, sound), others...)
	err = s.withHooks(ctx, answers, func(all []*hooked) error {
		changes, _, err := s.writeSteadily(ctx, pace{perSecond: deadChangesPerSecond, lasting: deadFor})
		if err != nil {
			return err
		}
		d, err := s.collect(ctx, changes, all[:sound])
		if err == nil && d.lost > 0 {
			err = fmt.Errorf("%d deliveries were lost", d.lost)
		}
		l = d.fromCommitted
		return err
	})
	return l, err
}
