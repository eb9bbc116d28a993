package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	// exitInterrupted is 128 + SIGINT, as in shells.
	exitInterrupted = 130

	// plainInterval is the time between two lines of progress on an output that is not a terminal.
	plainInterval = 10 * time.Second

	barInterval = 100 * time.Millisecond
)

// exit prints a message and ends the process with a code. It runs no deferred functions: close everything first. A
// command that failed returns an error instead, for code 1.
func exit(c *console, code int, format string, args ...any) {
	fmt.Fprintf(c.err, "itemcast: "+format+"\n", args...)
	os.Exit(code)
}

// progress shows how far a command has come: a bar on a terminal, a line every 10 seconds elsewhere.
type progress struct {
	out     io.Writer
	doing   string // such as "importing"
	what    string // such as " lines"
	show    func(n int64) string
	total   int64 // -1: unknown
	bar     *progressbar.ProgressBar
	from    int64     // done at the first report
	began   time.Time // the time of the first report
	printed time.Time // the time of the last line
}

func newProgress(out io.Writer, doing, what string, total int64) *progress {
	p := &progress{out: out, doing: doing, what: what, total: total,
		show: func(n int64) string { return strconv.FormatInt(n, 10) }}
	if isTerminal(out) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(out),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish())
	}
	return p
}

// at reports progress. The speed counts from the first call, so it includes neither the lines of an earlier run nor the
// time to start.
func (p *progress) at(done int64) {
	now := time.Now()
	if p.began.IsZero() {
		p.from, p.began, p.printed = done, now, now
	}
	interval := plainInterval
	if p.bar != nil {
		interval = barInterval
	}
	if now.Sub(p.printed) < interval {
		return
	}
	p.printed = now
	status := p.status(done, now.Sub(p.began))
	if p.bar == nil {
		fmt.Fprintln(p.out, status)
		return
	}
	p.bar.ChangeMax64(p.total)
	p.bar.Describe(status)
	_ = p.bar.Set64(done)
}

// note prints a line above the bar.
func (p *progress) note(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}

// status describes the progress after some time, with the average speed.
func (p *progress) status(done int64, took time.Duration) string {
	status := p.doing + " " + p.show(done)
	if p.total >= 0 {
		status += " of " + p.show(p.total)
	}
	status += p.what
	if took < time.Second || done == p.from {
		return status
	}
	speed := float64(done-p.from) / took.Seconds()
	status += ", " + p.show(int64(math.Round(speed))) + "/s"
	if p.total >= 0 {
		status += fmt.Sprintf(", %s left", time.Duration(float64(p.total-done)/speed*float64(time.Second)).Round(time.Second))
	}
	return status
}

// end removes the bar.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// isTerminal reports whether the output is a terminal (or /dev/null, where it does not matter).
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// rounded returns a duration in milliseconds, to print.
func rounded(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
