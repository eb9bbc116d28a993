package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	// exitInterrupted is 128 + SIGINT, as shells have it.
	exitInterrupted = 130

	// plainEvery is how often a log, or whatever else is no terminal, is told how far a command has come.
	plainEvery = 10 * time.Second
)

// exit ends the process with a code that scripts can tell from the 1 of a command that failed. Whatever must be closed is, by then.
func exit(c *console, code int, format string, args ...any) {
	fmt.Fprintf(c.err, "itemcast: "+format+"\n", args...)
	os.Exit(code)
}

// progress tells a person how far a command has come: by a bar on a terminal, by a line now and then in a log.
type progress struct {
	out   io.Writer
	doing string // such as "importing"
	what  string // such as "lines"
	total int64  // -1: nobody knows
	bar   *progressbar.ProgressBar
	from  int64     // where this run began
	began time.Time // when it was there
	told  time.Time
}

func newProgress(out io.Writer, doing, what string, total int64) *progress {
	p := &progress{out: out, doing: doing, what: what, total: total}
	if isTerminal(out) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish())
	}
	return p
}

// at says that so much is done. The first call is the beginning: what an earlier run did, and how long a start took, is no speed.
func (p *progress) at(done int64) {
	now := time.Now()
	if p.began.IsZero() {
		p.from, p.began, p.told = done, now, now
	}
	status := p.status(done, now.Sub(p.began))
	switch {
	case p.bar != nil:
		p.bar.Describe(status)
		_ = p.bar.Set64(done)
	case now.Sub(p.told) >= plainEvery:
		p.told = now
		fmt.Fprintln(p.out, status)
	}
}

// status describes what is done after some time. The speed of a moment would mean nothing.
func (p *progress) status(done int64, took time.Duration) string {
	status := fmt.Sprintf("%s %d %s", p.doing, done, p.what)
	if p.total >= 0 {
		status = fmt.Sprintf("%s %d of %d %s", p.doing, done, p.total, p.what)
	}
	if took < time.Second || done == p.from {
		return status
	}
	speed := float64(done-p.from) / took.Seconds()
	status += fmt.Sprintf(", %.0f/s", speed)
	if p.total >= 0 {
		status += fmt.Sprintf(", %s left", time.Duration(float64(p.total-done)/speed*float64(time.Second)).Round(time.Second))
	}
	return status
}

// end takes the bar away; the cursor is at the beginning of its line.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// isTerminal reports whether a person watches. (So it seems of /dev/null, which does not mind.)
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// seconds is a duration for people.
func seconds(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
