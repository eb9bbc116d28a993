package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// recorded is a measurement that returns given rates and records its name.
func recorded(order *[]string, name string, rates ...float64) measurement {
	return func(context.Context) (round, error) {
		*order = append(*order, name)
		r := round{perSecond: rates[0], count: 1}
		rates = rates[1:]
		return r, nil
	}
}

// alone is a stage without processes.
func alone() *stage { return &stage{Config: Config{Progress: io.Discard}} }

func TestAlternate_BuildsChangePlacesAndTheBaselineComesLast(t *testing.T) {
	t.Parallel()
	var order []string
	_, err := alone().alternate(t.Context(), 3, rateOf, sides{
		this:     recorded(&order, "this", 1, 2, 3),
		other:    recorded(&order, "other", 1, 2, 3),
		baseline: recorded(&order, "baseline", 1, 2, 3),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "this other baseline other this baseline this other baseline"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("the order is\n%s\ninstead of\n%s", got, want)
	}
}

func TestAlternate_TheOtherBuildComesFirstInEverySecondPass(t *testing.T) {
	t.Parallel()
	var order []string
	s := alone()
	s.otherFirst = true
	_, err := s.alternate(t.Context(), 1, rateOf, sides{
		this: recorded(&order, "this", 1), other: recorded(&order, "other", 1),
	})
	if got := strings.Join(order, " "); err != nil || got != "other this" {
		t.Errorf("the order is %q, and the error %v", got, err)
	}
}

func TestMerge_AddsTheRoundsOfEachPass(t *testing.T) {
	t.Parallel()
	var order []string
	var all result
	for _, rates := range [][2]float64{{90, 100}, {200, 100}, {30, 20}} {
		one, err := alone().alternate(t.Context(), 1, rateOf, sides{
			this: recorded(&order, "this", rates[0]), other: recorded(&order, "other", rates[1]),
		})
		if err != nil {
			t.Fatal(err)
		}
		one.notes, one.unmet = []string{"the same", fmt.Sprint(rates[0])}, []string{"3 statements"}
		all.merge(one)
	}
	if got := ratiosOf(all.this, all.other).String(); got != "1.50 (0.90–2.00)" {
		t.Errorf("this / other is %s", got)
	}
	if all.this.count != 3 || !slices.Equal(all.notes, []string{"the same", "90", "200", "30"}) || len(all.unmet) != 1 {
		t.Errorf("merged: %+v", all)
	}
}

func TestAlternate_EachRoundGivesARatio(t *testing.T) {
	t.Parallel()
	var order []string
	r, err := alone().alternate(t.Context(), 3, rateOf, sides{
		this:     recorded(&order, "this", 100, 200, 90),
		other:    recorded(&order, "other", 50, 200, 100),
		baseline: recorded(&order, "baseline", 200, 200, 200),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ratiosOf(r.this, r.other); !slices.Equal(got, ratios{2, 1, 0.9}) {
		t.Errorf("this / other is %v", got)
	}
	if got := ratiosOf(r.this, r.baseline).String(); got != "0.50 (0.45–1.00)" {
		t.Errorf("this / baseline is %s", got)
	}
}

func TestAlternate_MeasuresOneBuildAlone(t *testing.T) {
	t.Parallel()
	var order []string
	r, err := alone().alternate(t.Context(), 2, rateOf, sides{this: recorded(&order, "this", 1, 3)})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.this.rate(); got != "2/s" || len(order) != 2 {
		t.Errorf("the rate is %s after %v", got, order)
	}
	if got := ratiosOf(r.this, r.other); got != nil {
		t.Errorf("there are ratios to a build that was not measured: %v", got)
	}
}

func TestAlternate_AnErrorNamesTheRoundAndTheSide(t *testing.T) {
	t.Parallel()
	var order []string
	broken := errors.New("broken")
	_, err := alone().alternate(t.Context(), 2, rateOf, sides{
		this:     recorded(&order, "this", 1, 1),
		baseline: func(context.Context) (round, error) { return round{}, broken },
	})
	if !errors.Is(err, broken) || !strings.Contains(fmt.Sprint(err), "round 1 of the baseline") {
		t.Errorf("the error is %v", err)
	}
}

func TestRatios_VerdictNeedsMoreThanTheSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ratios ratios
		figure figure
		want   string
	}{
		{ratios{0.90, 0.91, 0.92}, rateOf, "worse"},
		{ratios{0.90, 0.91, 1.05}, rateOf, ""},
		{ratios{1.10, 1.11, 1.12}, rateOf, "better"},
		{ratios{1.10, 1.11, 1.12}, p50Of, "worse"},
		{ratios{0.90, 0.91, 0.92}, memoryOf, "better"},
		{ratios{0.50}, rateOf, ""},
		{nil, rateOf, ""},
	} {
		if got := c.ratios.verdict(c.figure); got != c.want {
			t.Errorf("the verdict on %v is %q instead of %q", c.ratios, got, c.want)
		}
	}
}
