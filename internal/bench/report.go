package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// result is what measuring a row came to. A row without a baseline has no ratios.
type result struct {
	product, baseline side
	ratios            ratios
	notes             []string
	met               bool
}

// report is the table, and the machine that it was measured on.
type report struct {
	machine string
	lines   []string
	notes   []string
}

func newReport(ctx context.Context, s *stage) *report {
	var postgres string
	if err := s.pool.QueryRow(ctx, "SHOW server_version").Scan(&postgres); err != nil {
		postgres = "of unknown version"
	}
	return &report{
		machine: fmt.Sprintf("%d cores (%s), %s/%s, %s, Postgres %s; load average before: %s. %d items, %d connections, %d × %s a side; the load generator and Postgres share the cores.",
			runtime.NumCPU(), processor(), runtime.GOOS, runtime.GOARCH, runtime.Version(), postgres, loadAverage(), s.Items, s.Connections, s.Rounds, s.Round),
		lines: []string{
			"| work | Itemcast | baseline | ratio: median (min–max) | of CPU time | p50 / p99 | baseline's | budget | |",
			"|---|--:|--:|--:|--:|--:|--:|---|---|",
		},
	}
}

func (r *report) add(w row, m result) {
	verdict := "missed"
	switch {
	case w.budget == noBudget:
		verdict = ""
	case m.met:
		verdict = "met"
	}
	ratio, cpuRatio := "–", "–"
	if len(m.ratios) > 0 {
		ratio = fmt.Sprintf("%.2f (%.2f–%.2f)", m.ratios.median(), slices.Min(m.ratios), slices.Max(m.ratios))
		product, baseline := m.product.eachCPU(), m.baseline.eachCPU()
		cpuRatio = fmt.Sprintf("%.2f", float64(baseline.total())/float64(product.total()))
		r.notes = append(r.notes, fmt.Sprintf("%s: CPU time each: %s; baseline: %s.", w.name, product, baseline))
	}
	r.lines = append(r.lines, fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %s |", w.work, m.product.rate(), m.baseline.rate(), ratio, cpuRatio,
		m.product.times(), m.baseline.times(), w.budget, verdict))
	for _, note := range m.notes {
		r.notes = append(r.notes, w.name+": "+note)
	}
}

func (r *report) write(out io.Writer) error {
	text := "\n" + strings.Join(r.lines, "\n") + "\n\n" + r.machine + "\n"
	for _, note := range r.notes {
		text += "- " + note + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

func (s side) rate() string {
	switch {
	case s.bytes > 0:
		return fmt.Sprintf("%.1f kB", s.bytes/1000)
	case s.perSecond == 0:
		return "–"
	}
	return fmt.Sprintf("%.0f/s", s.perSecond)
}

func (s side) eachCPU() cpu { return s.cpu.by(s.count) }

func (s side) times() string {
	if len(s.latencies) == 0 {
		return "–"
	}
	return s.latencies.both()
}

func (l latencies) both() string {
	return milliseconds(l.percentile(50)) + " / " + milliseconds(l.percentile(99))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func processor() string {
	content, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(content)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func loadAverage() string {
	content, _ := os.ReadFile("/proc/loadavg")
	first, _, ok := strings.Cut(string(content), " ")
	if !ok {
		return "unknown"
	}
	return first
}
