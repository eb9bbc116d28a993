package bench

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine describes the machine, the builds and the settings of a run.
func (s *stage) machine(ctx context.Context) string {
	var postgres string
	if err := s.this.pool.QueryRow(ctx, "SHOW server_version").Scan(&postgres); err != nil {
		postgres = "of unknown version"
	}
	text := "This build: " + s.this.version + "."
	if s.other != nil {
		text += " Other build: " + s.other.version + "."
	}
	return text + fmt.Sprintf(" %d cores (%s), %s/%s, %s, Postgres %s; load average before: %s. "+
		"%d items, %d connections, %d × %s a side; the load generator and Postgres share the cores.",
		runtime.NumCPU(), processor(), runtime.GOOS, runtime.GOARCH, runtime.Version(), postgres, loadAverage(),
		s.Items, s.Connections, s.Rounds, s.Round)
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
