package bench

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// report is the table, its notes, and the machine.
type report struct {
	compared bool // has columns for another build
	machine  string
	lines    []string
	notes    []string
}

func newReport(machine string, compared bool) *report {
	r := &report{compared: compared, machine: machine}
	r.line("work", "this build", "baseline", "this / baseline: median (min–max)", "CPU time: baseline / this",
		"p50 / p99", "baseline's", "budget", "",
		"other build", "this / other: median (min–max)", "CPU time: other / this")
	r.line("---", "--:", "--:", "--:", "--:", "--:", "--:", "---", "---", "--:", "--:", "--:")
	return r
}

// otherColumns is the number of columns about the other build, which come last.
const otherColumns = 3

func (r *report) line(cells ...string) {
	if !r.compared {
		cells = cells[:len(cells)-otherColumns]
	}
	r.lines = append(r.lines, "| "+strings.Join(cells, " | ")+" |")
}

func (r *report) add(w row, m result) {
	other, cpuToOther := "–", "–"
	toOther := ratiosOf(m.this, m.other)
	switch {
	case m.incomparable != nil:
		other = "not comparable"
		r.notes = append(r.notes, fmt.Sprintf("%s: not comparable with the other build: %s.", w.name, m.incomparable))
	case toOther != nil:
		other, cpuToOther = m.figure.text(m.other), cpuRatio(m.other, m.this)
	}
	budgetText := w.budget.text
	if budgetText == "" {
		budgetText = "–"
	}
	r.line(w.work, m.this.amount(), m.baseline.amount(),
		ratiosOf(m.this, m.baseline).String(), cpuRatio(m.baseline, m.this),
		m.this.times(), m.baseline.times(), budgetText, w.budget.verdict(m),
		other, strings.TrimSpace(toOther.String()+" "+toOther.verdict(m.figure)), cpuToOther)
	if note := cpuNote(m); note != "" {
		r.notes = append(r.notes, w.name+": "+note)
	}
	for _, note := range m.notes {
		r.notes = append(r.notes, w.name+": "+note)
	}
}

// cpuRatio is the CPU time of an operation on one side, divided by that on another.
func cpuRatio(a, b side) string {
	if a.eachCPU().total() == 0 || b.eachCPU().total() == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(a.eachCPU().total())/float64(b.eachCPU().total()))
}

func cpuNote(m result) string {
	var parts []string
	for _, one := range []struct {
		name string
		side side
	}{{"", m.this}, {"other build: ", m.other}, {"baseline: ", m.baseline}} {
		if one.side.eachCPU().total() > 0 {
			parts = append(parts, one.name+one.side.eachCPU().String())
		}
	}
	if parts == nil {
		return ""
	}
	return "CPU time of each: " + strings.Join(parts, "; ") + "."
}

const legend = "this / other compares rates (more is better), the times' p50 or p99, or memory (less is better). " +
	"It is worse or better when its median differs from 1 by more than the rounds differ from each other."

func (r *report) write(out io.Writer) error {
	text := "\n" + strings.Join(r.lines, "\n") + "\n\n" + r.machine + "\n"
	if r.compared {
		text += legend + "\n"
	}
	for _, note := range r.notes {
		text += "- " + note + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

// amount returns the memory if that was measured, or else the rate.
func (s side) amount() string {
	if len(s.bytes) > 0 {
		return s.memory()
	}
	return s.rate()
}

func (s side) memory() string { return bytesText(median(s.bytes)) }

func (s side) rate() string {
	if len(s.rates) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f/s", median(s.rates))
}

func (s side) times() string {
	if len(s.latencies) == 0 {
		return "–"
	}
	return s.latencies.String()
}

func (s side) eachCPU() cpu { return s.cpu.by(s.count) }

func (l latencies) String() string {
	return milliseconds(l.percentile(50)) + " / " + milliseconds(l.percentile(99))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func bytesText(bytes float64) string {
	if bytes >= 1e6 {
		return fmt.Sprintf("%.1f MB", bytes/1e6)
	}
	return fmt.Sprintf("%.1f kB", bytes/1e3)
}
