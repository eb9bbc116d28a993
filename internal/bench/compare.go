package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	warmUp        = time.Second
	maxSlowRounds = 3
)

// round is what one round measured on one side.
type round struct {
	latencies latencies // sorted
	sinceSent latencies // sorted; they begin before the transaction was sent, latencies at its commit
	count     int       // operations
	perSecond float64
	bytes     float64
	cpu       cpu

	changes, lost, disordered, repeated int
}

// side sums up the rounds of one side.
type side struct {
	figures   []float64 // one of each round
	rates     []float64
	bytes     []float64
	latencies latencies // of all rounds, sorted
	sinceSent latencies
	count     int
	cpu       cpu

	changes, lost, disordered, repeated int
}

func (s *side) add(r round, f figure) {
	one := side{
		figures: []float64{f.of(r)}, latencies: r.latencies, sinceSent: r.sinceSent, count: r.count, cpu: r.cpu,
		changes: r.changes, lost: r.lost, disordered: r.disordered, repeated: r.repeated,
	}
	if r.perSecond > 0 {
		one.rates = []float64{r.perSecond}
	}
	if r.bytes > 0 {
		one.bytes = []float64{r.bytes}
	}
	s.merge(one)
}

// merge adds the rounds of another pass.
func (s *side) merge(next side) {
	s.figures = append(s.figures, next.figures...)
	s.rates = append(s.rates, next.rates...)
	s.bytes = append(s.bytes, next.bytes...)
	s.latencies = sorted(append(s.latencies, next.latencies...))
	s.sinceSent = sorted(append(s.sinceSent, next.sinceSent...))
	s.count += next.count
	s.cpu = s.cpu.plus(next.cpu)
	s.changes += next.changes
	s.lost += next.lost
	s.disordered += next.disordered
	s.repeated += next.repeated
}

// result is what a row measured.
type result struct {
	figure                figure
	this, other, baseline side
	incomparable          error // why the other build was not measured
	unmet                 []string
	notes                 []string
}

// merge adds the rounds of another pass.
func (r *result) merge(next result) {
	r.figure = next.figure
	r.this.merge(next.this)
	r.other.merge(next.other)
	r.baseline.merge(next.baseline)
	r.incomparable = next.incomparable
	r.unmet = union(r.unmet, next.unmet)
	r.notes = union(r.notes, next.notes)
}

// union appends the texts that are new.
func union(texts, more []string) []string {
	for _, text := range more {
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// note adds a note for each build that was measured.
func (r *result) note(text func(side) string) {
	r.notes = append(r.notes, text(r.this))
	if len(r.other.figures) > 0 {
		r.notes = append(r.notes, "the other build: "+text(r.other))
	}
}

// measurement measures one round.
type measurement func(ctx context.Context) (round, error)

// sides are the measurements that a row compares. other and baseline may be nil.
type sides struct{ this, other, baseline measurement }

// sides returns the measurement of each build, and the baseline's, which may be nil.
func (b builds) sides(measure func(ctx context.Context, b *build) (round, error), baseline measurement) sides {
	s := sides{this: func(ctx context.Context) (round, error) { return measure(ctx, b.this) }, baseline: baseline}
	if b.other != nil {
		s.other = func(ctx context.Context) (round, error) { return measure(ctx, b.other) }
	}
	return s
}

// alternate measures every side once in each round. The builds change places from round to round, so that neither
// always comes first; the baseline comes last. The log reports each round.
func (s *stage) alternate(ctx context.Context, rounds int, f figure, of sides) (result, error) {
	r := result{figure: f}
	for n := range rounds {
		turns := []turn{
			{"this build", of.this, &r.this},
			{"the other build", of.other, &r.other},
			{"the baseline", of.baseline, &r.baseline},
		}
		if (n%2 == 1) != s.otherFirst {
			turns[0], turns[1] = turns[1], turns[0]
		}
		var texts []string
		for _, t := range turns {
			if t.measure == nil {
				continue
			}
			one, err := t.measure(ctx)
			if err != nil {
				return result{}, fmt.Errorf("round %d of %s: %w", n+1, t.name, err)
			}
			t.side.add(one, f)
			texts = append(texts, t.name+" "+f.textOf(one))
		}
		s.logf("  round %d: %s", n+1, strings.Join(texts, ", "))
	}
	return r, nil
}

// turn is one side's part of a round.
type turn struct {
	name    string
	measure measurement
	side    *side
}

// rounds is how many rounds a row has in a pass; alone is that without another build to compare with.
func (s *stage) rounds(alone int) int {
	if s.Beside != "" {
		return 1
	}
	return alone
}

// compareLoad loads the builds and the baseline in turns, each on a number of connections. The zero target is no
// baseline.
func (s *stage) compareLoad(ctx context.Context, connections int, on func(b *build) target, baseline target) (
	result, error) {
	targets := map[*build]target{}
	for _, b := range s.all() {
		targets[b] = on(b)
		if _, err := load(ctx, targets[b], connections, min(warmUp, s.Round)); err != nil {
			return result{}, err
		}
	}
	var ofBaseline measurement
	if baseline.next != nil {
		if _, err := load(ctx, baseline, connections, min(warmUp, s.Round)); err != nil {
			return result{}, err
		}
		ofBaseline = func(ctx context.Context) (round, error) { return load(ctx, baseline, connections, s.Round) }
	}
	ofBuild := func(ctx context.Context, b *build) (round, error) { return load(ctx, targets[b], connections, s.Round) }
	return s.alternate(ctx, s.rounds(s.Rounds), rateOf, s.sides(ofBuild, ofBaseline))
}
