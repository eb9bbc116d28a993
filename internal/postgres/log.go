package postgres

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

const linesKept = 20

// logWriter passes Postgres's stderr on to slog, a line each, and keeps the last lines for error messages.
type logWriter struct {
	log *slog.Logger

	mu      sync.Mutex
	partial []byte
	lines   []string
	level   slog.Level
}

func (w *logWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.partial = append(w.partial, b...)
	for {
		line, rest, complete := bytes.Cut(w.partial, []byte("\n"))
		if !complete {
			return len(b), nil
		}
		w.add(string(line))
		w.partial = rest
	}
}

func (w *logWriter) add(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	w.lines = append(w.lines, line)
	if len(w.lines) > linesKept {
		w.lines = w.lines[1:]
	}
	// DETAIL, HINT and the like belong to the message before them, and keep its level.
	severity, message, _ := strings.Cut(line, ":")
	if level, ok := levels[severity]; ok {
		w.level = level
		line = strings.TrimSpace(message)
	}
	w.log.Log(context.Background(), w.level, "postgres: "+line)
}

// levels maps Postgres's severities. A failing statement (ERROR) and a refused or ended session (FATAL) are for whoever sent it to
// handle; the server itself is well. A PANIC takes the server down.
var levels = map[string]slog.Level{
	"LOG":     slog.LevelDebug,
	"INFO":    slog.LevelDebug,
	"NOTICE":  slog.LevelDebug,
	"WARNING": slog.LevelWarn,
	"ERROR":   slog.LevelInfo,
	"FATAL":   slog.LevelInfo,
	"PANIC":   slog.LevelError,
}

func (w *logWriter) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.lines, "\n")
}
