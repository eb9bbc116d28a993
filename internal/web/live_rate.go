package web

import (
	"strconv"
	"strings"
	"time"

	"itemcast/internal/live"
)

// The plot of the rate has a bar for each step of the last minutes. live.js continues it, with the same numbers.
const (
	rateStep  = 5 * time.Second
	rateSteps = 60
)

// rateView is how many changes there were in each step of the last five minutes.
type rateView struct {
	Bars   []plotRect
	Counts string // of the steps, oldest first, with commas between
	End    int64  // of the last step, in milliseconds since 1970
	Total  string
	Most   string
	Since  *moment // before which the page does not know the changes; nil: it knows them all
}

// rate counts events. They are the newest, oldest first.
func (c *call) rate(events []*live.Event, now time.Time) rateView {
	end := now.Truncate(rateStep).Add(rateStep)
	begin := end.Add(-rateSteps * rateStep)
	counts := make([]int64, rateSteps)
	var total, most int64
	for _, e := range events {
		n := int(e.OccurredAt.Sub(begin) / rateStep)
		if e.OccurredAt.Before(begin) || n >= rateSteps {
			continue
		}
		counts[n]++
		total, most = total+1, max(most, counts[n])
	}
	v := rateView{End: end.UnixMilli(), Total: c.text.Number(total), Most: c.text.Number(most)}
	written := make([]string, rateSteps)
	for n, count := range counts {
		written[n] = strconv.FormatInt(count, 10)
		if height := scaled(count, most); height > 0 {
			v.Bars = append(v.Bars, plotRect{n*plotStep + 1, plotHeight - height, plotBar, height, "count"})
		}
	}
	v.Counts = strings.Join(written, ",")
	if len(events) == live.RecentSpan && events[0].OccurredAt.After(begin) {
		v.Since = new(secondOf(events[0].OccurredAt))
	}
	return v
}

// secondOf is a moment of today, with seconds. The script writes it in the browser's zone.
func secondOf(t time.Time) moment {
	return moment{t.UTC().Format("2006-01-02T15:04:05.000Z"), t.UTC().Format("15:04:05") + " UTC"}
}
