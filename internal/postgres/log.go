package postgres

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

const maxLines = 20

// logWriter forwards the lines of Postgres's stderr to slog, and retains the last maxLines for error messages.
type logWriter struct {
	log *slog.Logger

	mu      sync.Mutex // guards what follows
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
	if len(w.lines) > maxLines {
		w.lines = w.lines[1:]
	}
	// DETAIL, HINT and the like have the level of the message that they follow.
	severity, message, _ := strings.Cut(line, ":")
	if level, ok := levels[severity]; ok {
		line = strings.TrimSpace(message)
		if w.level = level; stopping[line] {
			w.level = slog.LevelDebug
		}
	}
	w.log.Log(context.Background(), w.level, "postgres: "+line)
}

// levels maps the severities of Postgres. A failed statement (ERROR) and a refused or ended session (FATAL) concern the
// client only; the server continues. A PANIC ends the server.
var levels = map[string]slog.Level{
	"LOG":     slog.LevelDebug,
	"INFO":    slog.LevelDebug,
	"NOTICE":  slog.LevelDebug,
	"WARNING": slog.LevelWarn,
	"ERROR":   slog.LevelInfo,
	"FATAL":   slog.LevelInfo,
	"PANIC":   slog.LevelError,
}

// stopping are the messages to sessions that Postgres ends, or refuses, because it was told to stop.
var stopping = map[string]bool{
	"terminating connection due to administrator command": true,
	"the database system is shutting down":                true,
}

func (w *logWriter) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.lines, "\n")
}
