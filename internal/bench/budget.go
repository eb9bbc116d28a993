package bench

import (
	"fmt"
	"strings"
	"time"
)

// budget is a figure that a row must reach. The zero value is no budget.
type budget struct {
	text string
	met  func(result) bool
}

// atLeast limits the ratio to the baseline's rate.
func atLeast(ratio float64) budget {
	return budget{fmt.Sprintf("≥ %.2f", ratio), func(r result) bool {
		return ratiosOf(r.this, r.baseline).median() >= ratio
	}}
}

// atMostRatio limits the ratio to the baseline's time.
func atMostRatio(ratio float64) budget {
	return budget{fmt.Sprintf("≤ %.2f", ratio), func(r result) bool {
		return ratiosOf(r.this, r.baseline).median() <= ratio
	}}
}

// atMost limits the memory, in bytes.
func atMost(limit float64) budget {
	return budget{"≤ " + bytesText(limit), func(r result) bool { return median(r.this.figures) <= limit }}
}

// within limits the percentiles of latencies, in milliseconds; a p99 of zero is no limit.
func within(p50, p99 int) budget {
	text := fmt.Sprintf("p50 ≤ %d ms", p50)
	if p99 > 0 {
		text += fmt.Sprintf(", p99 ≤ %d ms", p99)
	}
	return budget{text, func(r result) bool {
		l := r.this.latencies
		return l.percentile(50) <= time.Duration(p50)*time.Millisecond &&
			(p99 == 0 || l.percentile(99) <= time.Duration(p99)*time.Millisecond)
	}}
}

// conditional is met unless the row reports a missed condition in result.unmet.
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
