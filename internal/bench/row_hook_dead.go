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
	deadTime             = 16 * time.Second // longer than an attempt's timeout: attempts end and the next ones hang
	healthyEndpoints     = 7                // of ten
	maxAdded             = 1.05             // of the p99 among healthy endpoints
)

// conditions of the three endpoints beside the healthy ones.
var conditions = []struct {
	name    string
	answers func() []answer
}{
	{"all ten are healthy", func() []answer { return []answer{answerAtOnce, answerAtOnce, answerAtOnce} }},
	{"one hangs", func() []answer { return []answer{answerNever, answerAtOnce, answerAtOnce} }},
	{"one hangs, one answers 500, one takes one request a second", func() []answer {
		return []answer{answerNever, answerError, answerOneASecond()}
	}},
}

const shownCondition = 1 // one hangs

// hookDead measures the cost of bad endpoints for others: how much the p99 of seven endpoints rises, from commit to
// received, when the three beside them are bad. The conditions alternate. Each has new hooks, so that no condition
// leaves work for the next.
func hookDead(ctx context.Context, s *stage) (result, error) {
	seen := map[*build]*deadRecord{}
	for _, b := range s.all() {
		seen[b] = &deadRecord{}
	}
	measure := func(ctx context.Context, b *build) (round, error) { return seen[b].measure(ctx, b) }
	r, err := s.alternate(ctx, s.rounds(deadRounds), p99Of, s.sides(measure, nil))
	if err != nil {
		return r, err
	}
	r.baseline.latencies = sorted(seen[s.this].latencies[0])
	for n, b := range s.all() {
		for k, c := range conditions {
			note, added := seen[b].describe(k)
			if n == 0 && added > maxAdded {
				r.unmet = append(r.unmet, c.name)
			}
			r.notes = append(r.notes, []string{"", "the other build: "}[n]+note)
		}
	}
	r.notes = append(r.notes, fmt.Sprintf("%d changes/s to ten endpoints. Shown: one hangs; as the baseline: all are "+
		"healthy. Lost or out of order: none.", deadChangesPerSecond))
	return r, nil
}

// deadRecord is what one build's rounds measured under each condition.
type deadRecord struct {
	latencies [3]latencies
	p99s      [3][]float64 // of each round, in milliseconds
}

func (d *deadRecord) measure(ctx context.Context, b *build) (shown round, err error) {
	for k, c := range conditions {
		r, err := b.besideOthers(ctx, c.answers())
		if err != nil {
			return r, fmt.Errorf("when %s: %w", c.name, err)
		}
		d.latencies[k] = append(d.latencies[k], r.latencies...)
		d.p99s[k] = append(d.p99s[k], float64(r.latencies.percentile(99))/float64(time.Millisecond))
		b.logf("    %s: %s", c.name, r.latencies)
		if k == shownCondition {
			shown = r
		}
	}
	return shown, nil
}

// describe compares a condition with the one in which all endpoints are healthy.
func (d *deadRecord) describe(k int) (note string, added float64) {
	added = median(d.p99s[k]) / median(d.p99s[0])
	rounds := strings.Trim(fmt.Sprintf("%.1f", d.p99s[k]), "[]")
	return fmt.Sprintf("When %s: p99 of the seven %.1f ms (rounds: %s), %+.0f %%; over all rounds %s.",
		conditions[k].name, median(d.p99s[k]), rounds, 100*(added-1), sorted(d.latencies[k])), added
}

// besideOthers measures healthy endpoints beside three others.
func (b *build) besideOthers(ctx context.Context, others []answer) (r round, err error) {
	answers := append(slices.Repeat([]answer{answerAtOnce}, healthyEndpoints), others...)
	err = b.withHooks(ctx, answers, func(all []*hook) error {
		changes, _, err := b.writeSteadily(ctx, pace{perSecond: deadChangesPerSecond, lasting: deadTime})
		if err != nil {
			return err
		}
		r, err = collect(ctx, changes, all[:healthyEndpoints])
		if err == nil && r.lost > 0 {
			err = fmt.Errorf("%d deliveries were lost", r.lost)
		}
		return err
	})
	return r, err
}
