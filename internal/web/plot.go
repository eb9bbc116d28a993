package web

import (
	"fmt"
	"strings"
	"time"

	"itemcast/internal/hook"
)

// The sizes of a plot in its own units. Styles stretch it to the width of its place.
const (
	plotStep   = 10 // of a bar and the gap beside it
	plotBar    = 8
	plotHeight = 60
)

// healthView is the health of a hook over the last day: in words, as plots that the server draws, and as a table.
type healthView struct {
	Summary  string // "" without attempts
	Rate     string // success rate
	Bars     []plotRect
	Median   string // path
	Slow     string // path
	MostSent string // the height of the bars
	Slowest  string // the height of the lines
	Rows     []healthRow
	Since    moment
	IsBad    bool // less than 95 of 100 attempts succeeded
}

// plotRect is a part of a bar.
type plotRect struct {
	X, Y, Width, Height int
	Class               string
}

// healthRow is a step with attempts as a row of a table.
type healthRow struct {
	At                   moment
	Attempts, OK, Failed string
	Median, Slow         string
}

func (c *call) health(h hook.Health) healthView {
	v := healthView{Since: momentOf(c.text, h.Since)}
	var attempts, succeeded, most int64
	var slowest time.Duration
	for _, s := range h.Steps {
		attempts, succeeded = attempts+s.Attempts, succeeded+s.Succeeded
		most, slowest = max(most, s.Attempts), max(slowest, s.Slow)
	}
	if attempts == 0 {
		return v
	}
	v.Rate, v.IsBad = c.text.Percent(succeeded, attempts), succeeded*100 < attempts*95
	v.MostSent, v.Slowest = c.text.Number(most), c.text.Latency(slowest)
	var median, slow linePath
	for n, s := range h.Steps {
		x := n * plotStep
		good := scaled(s.Succeeded, most)
		bad := scaled(s.Attempts-s.Succeeded, most)
		if good > 0 {
			v.Bars = append(v.Bars, plotRect{x + 1, plotHeight - good, plotBar, good, "good"})
		}
		if bad > 0 {
			v.Bars = append(v.Bars, plotRect{x + 1, max(0, plotHeight-good-bad), plotBar, bad, "bad"})
		}
		median.add(x, s.Attempts > 0, int64(s.Median), int64(slowest))
		slow.add(x, s.Attempts > 0, int64(s.Slow), int64(slowest))
		if s.Attempts > 0 {
			v.Rows = append(v.Rows, healthRow{momentOf(c.text, h.Since.Add(time.Duration(n)*hook.HealthStep)),
				c.text.Number(s.Attempts), c.text.Number(s.Succeeded), c.text.Number(s.Attempts - s.Succeeded),
				c.text.Latency(s.Median), c.text.Latency(s.Slow)})
		}
	}
	v.Median, v.Slow = median.String(), slow.String()
	v.Summary = c.text.Count("health.summary", int(attempts), v.Rate, c.text.Latency(typical(h, attempts)), v.Slowest)
	return v
}

// typical returns the median of the step that has the middle one of all attempts: close to the median of the day.
func typical(h hook.Health, all int64) time.Duration {
	var seen int64
	for _, s := range h.Steps {
		if seen += s.Attempts; s.Attempts > 0 && seen*2 >= all {
			return s.Median
		}
	}
	return 0
}

// scaled returns a height that shows a number: at least 2 for one that is not 0.
func scaled(n, most int64) int {
	if n <= 0 || most <= 0 {
		return 0
	}
	return max(2, int(n*plotHeight/most))
}

// linePath is the path of a line with gaps where there is nothing.
type linePath struct {
	path  strings.Builder
	draws bool
}

func (l *linePath) add(x int, known bool, value, most int64) {
	if !known || most == 0 {
		l.draws = false
		return
	}
	y := plotHeight - 1 - int(value*(plotHeight-2)/most)
	if l.draws {
		fmt.Fprintf(&l.path, "H%dV%dh%d", x, y, plotStep)
	} else {
		fmt.Fprintf(&l.path, "M%d %dh%d", x, y, plotStep)
	}
	l.draws = true
}

func (l *linePath) String() string { return l.path.String() }
