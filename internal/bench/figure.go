package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// figure is the number of a round by which sides are compared.
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

// verdict is "worse" or "better" when the median differs from 1 by more than the rounds differ from each other. One round gives no verdict.
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

// budget is what a row must reach. The zero budget is none.
type budget struct {
	text string
	met  func(result) bool
}

// atLeast is a share of the baseline's rate.
func atLeast(ratio float64) budget {
	return budget{fmt.Sprintf("≥ %.2f", ratio), func(r result) bool { return ratiosOf(r.this, r.baseline).median() >= ratio }}
}

// atMost limits the memory, in bytes.
func atMost(limit float64) budget {
	return budget{"≤ " + bytesText(limit), func(r result) bool { return median(r.this.figures) <= limit }}
}

// within limits the percentiles of latencies; a p99 of zero is no limit.
func within(p50, p99 time.Duration) budget {
	text := fmt.Sprintf("p50 ≤ %d ms", p50.Milliseconds())
	if p99 > 0 {
		text += fmt.Sprintf(", p99 ≤ %d ms", p99.Milliseconds())
	}
	return budget{text, func(r result) bool { return r.this.latencies.within(p50, p99) }}
}

// conditional is met unless the row reports in result.unmet what is missing.
func conditional(text string) budget { return budget{text, func(result) bool { return true }} }

// and adds a condition that the row checks.
func (b budget) and(text string) budget {
	b.text += ", " + text
	return b
}

func (b budget) verdict(r result) string {
	switch {
	case b.met == nil:
		return ""
	case len(r.unmet) > 0:
		return "missed: " + strings.Join(r.unmet, "; ")
	case !b.met(r):
		return "missed"
	}
	return "met"
}
