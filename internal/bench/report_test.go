package bench

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func sideOf(f figure, rounds ...round) (s side) {
	for _, r := range rounds {
		s.add(r, f)
	}
	return s
}

func atRates(rates ...float64) side {
	var rounds []round
	for _, rate := range rates {
		rounds = append(rounds, round{
			perSecond: rate, count: 10, latencies: latencies{time.Millisecond, 2 * time.Millisecond},
			cpu: cpu{server: time.Duration(1e9 / rate)},
		})
	}
	return sideOf(rateOf, rounds...)
}

func textOf(t *testing.T, r *report) string {
	t.Helper()
	var out strings.Builder
	if err := r.write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func wantLine(t *testing.T, report, line string) {
	t.Helper()
	if !strings.Contains(report, "\n"+line+"\n") {
		t.Errorf("the report lacks\n%s\nin\n%s", line, report)
	}
}

func TestReport_ComparesWithTheBaselineAndTheOtherBuild(t *testing.T) {
	t.Parallel()
	r := newReport("the machine", true)
	r.add(row{name: "get", work: "GET", budget: atLeast(0.80)},
		result{figure: rateOf, this: atRates(90, 92, 91), other: atRates(100, 100, 100), baseline: atRates(100, 100, 100)})
	got := textOf(t, r)
	wantLine(t, got, "| GET | 91/s | 100/s | 0.91 (0.90–0.92) | 0.91 | 2.00 ms / 2.00 ms | 2.00 ms / 2.00 ms "+
		"| ≥ 0.80 | met | 100/s | 0.91 (0.90–0.92) worse | 0.91 |")
	wantLine(t, got, "the machine")
}

func TestReport_WithoutAnotherBuildHasNoColumnsForIt(t *testing.T) {
	t.Parallel()
	r := newReport("the machine", false)
	r.add(row{name: "get", work: "GET", budget: atLeast(0.95)},
		result{figure: rateOf, this: atRates(91), baseline: atRates(100)})
	got := textOf(t, r)
	wantLine(t, got, "| GET | 91/s | 100/s | 0.91 (0.91–0.91) | 0.91 | 2.00 ms / 2.00 ms | 2.00 ms / 2.00 ms "+
		"| ≥ 0.95 | missed |")
	if strings.Contains(got, "other") {
		t.Errorf("the report is about another build:\n%s", got)
	}
}

func TestReport_SaysWhatCannotBeCompared(t *testing.T) {
	t.Parallel()
	r := newReport("the machine", true)
	r.add(row{name: "hooks", work: "hooks"},
		result{figure: rateOf, this: atRates(90), incomparable: errors.New("its tables differ")})
	got := textOf(t, r)
	wantLine(t, got, "| hooks | 90/s | – | – | – | 2.00 ms / 2.00 ms | – | – |  | not comparable | – | – |")
	wantLine(t, got, "- hooks: not comparable with the other build: its tables differ.")
}

func TestReport_ComparesTimesAndMemoryWhereLessIsBetter(t *testing.T) {
	t.Parallel()
	r := newReport("the machine", true)
	took := func(d time.Duration) round { return round{latencies: latencies{d}} }
	r.add(row{name: "subscribe", work: "subscribe", budget: within(5, 15)}, result{
		figure: p50Of,
		this:   sideOf(p50Of, took(4*time.Millisecond), took(4*time.Millisecond)),
		other:  sideOf(p50Of, took(8*time.Millisecond), took(8*time.Millisecond)),
	})
	used := func(bytes float64) round { return round{bytes: bytes} }
	r.add(row{name: "idle", work: "idle", budget: atMost(25e3)}, result{
		figure: memoryOf,
		this:   sideOf(memoryOf, used(30e3), used(30e3)),
		other:  sideOf(memoryOf, used(20e3), used(20e3)),
	})
	got := textOf(t, r)
	wantLine(t, got, "| subscribe | – | – | – | – | 4.00 ms / 4.00 ms | – | p50 ≤ 5 ms, p99 ≤ 15 ms | met "+
		"| 8.00 ms / 8.00 ms | 0.50 (0.50–0.50) better | – |")
	wantLine(t, got, "| idle | 30.0 kB | – | – | – | – | – | ≤ 25.0 kB | missed "+
		"| 20.0 kB | 1.50 (1.50–1.50) worse | – |")
}

func TestReport_ABudgetIsMissedByWhatTheRowLists(t *testing.T) {
	t.Parallel()
	r := result{figure: p50Of, this: sideOf(p50Of, round{perSecond: 900, latencies: latencies{1}, lost: 2})}
	r.checkDelivery(1000)
	if got := within(5, 0).verdict(r); got != "missed: 2 lost; only 900 changes/s" {
		t.Errorf("the verdict is %q", got)
	}
}
