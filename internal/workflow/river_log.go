package workflow

import (
	"context"
	"log/slog"
)

// riverLog returns the log for River: its warnings and errors, as warnings. River logs an error wherever a statement
// fails, and tries again.
func riverLog(log *slog.Logger) *slog.Logger {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return slog.New(riverHandler{log.Handler()})
}

type riverHandler struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h riverHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, slog.LevelWarn)
}

// Handle implements slog.Handler.
func (h riverHandler) Handle(ctx context.Context, r slog.Record) error {
	if ctx.Err() != nil { // the node is stopping
		return nil
	}
	quiet := slog.NewRecord(r.Time, slog.LevelWarn, "the queue of jobs reports: "+r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" {
			a.Key = "error"
		}
		quiet.AddAttrs(a)
		return true
	})
	return h.Handler.Handle(ctx, quiet)
}

// WithAttrs implements slog.Handler.
func (h riverHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return riverHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h riverHandler) WithGroup(name string) slog.Handler {
	return riverHandler{h.Handler.WithGroup(name)}
}
