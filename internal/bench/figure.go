package bench

import (
	"fmt"
	"slices"
)

// figure is the number by which the rounds of two sides are compared.
type figure struct {
	of         func(round) float64
	text       func(side) string
	lessIsGood bool
}

var (
	rateOf   = figure{of: func(r round) float64 { return r.perSecond }, text: side.rate}
	p50Of    = figure{of: percentileOf(50), text: side.times, lessIsGood: true}
	p99Of    = figure{of: percentileOf(99), text: side.times, lessIsGood: true}
	memoryOf = figure{of: func(r round) float64 { return r.bytes }, text: side.memory, lessIsGood: true}
)

// textOf formats the figure of one round.
func (f figure) textOf(r round) string {
	var one side
	one.add(r, f)
	return f.text(one)
}

func percentileOf(p float64) func(round) float64 {
	return func(r round) float64 { return r.latencies.percentile(p).Seconds() }
}

// ratios are one side's figures divided by another's, round by round.
type ratios []float64

func ratiosOf(a, b side) ratios {
	if len(b.figures) == 0 {
		return nil
	}
	out := make(ratios, len(a.figures))
	for n := range a.figures {
		out[n] = a.figures[n] / b.figures[n]
	}
	return out
}

func (r ratios) median() float64 { return median(r) }

func (r ratios) spread() float64 { return slices.Max(r) - slices.Min(r) }

func (r ratios) String() string {
	if len(r) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", r.median(), slices.Min(r), slices.Max(r))
}

// verdict returns "worse" or "better" when the median differs from 1 by more than the rounds differ from each other.
// One round gives no verdict.
func (r ratios) verdict(f figure) string {
	if len(r) < 2 {
		return ""
	}
	gain := r.median() - 1
	if f.lessIsGood {
		gain = -gain
	}
	switch {
	case gain < -r.spread():
		return "worse"
	case gain > r.spread():
		return "better"
	}
	return ""
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
