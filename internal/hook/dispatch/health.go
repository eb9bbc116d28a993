package dispatch

import (
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// tellEvery is how often the log tells of one hook that it fails, and after each time once that it works again.
const tellEvery = time.Minute

// health tells the log when a hook begins to fail on this node, and when it works again: not of each failure, nor more than tellEvery of a
// hook that fails now and then. It is for one goroutine, the writer of results.
type health struct {
	log   *slog.Logger
	now   func() time.Time
	hooks map[uuid.UUID]*failing
}

// failing is a hook that has failed lately.
type failing struct {
	told     time.Time
	since    time.Time // of the first failure after a success; zero: it works
	failures int
}

func newHealth(log *slog.Logger, now func() time.Time) *health {
	return &health{log: log, now: now, hooks: make(map[uuid.UUID]*failing)}
}

func (h *health) note(o outcome) {
	switch o.verdict {
	case succeeded:
		h.works(o.hook)
	case retry, failed, gone:
		h.fails(o)
	}
}

func (h *health) works(id uuid.UUID) {
	f := h.hooks[id]
	if f == nil || f.since.IsZero() {
		return
	}
	h.log.Info("a hook works again", "hook", id, "failures", f.failures, "for", h.now().Sub(f.since).Round(time.Millisecond))
	f.since, f.failures = time.Time{}, 0
}

func (h *health) fails(o outcome) {
	now := h.now()
	f := h.hooks[o.hook]
	if f == nil {
		h.forget(now)
		f = &failing{}
		h.hooks[o.hook] = f
	}
	if f.since.IsZero() && now.Sub(f.told) < tellEvery {
		return // told of just now, and it will be again should it go on
	}
	if f.failures++; f.failures > 1 {
		return
	}
	f.told, f.since = now, now
	h.log.Warn("a hook fails; GET /api/v1/hooks/{id} tells how it fares", "hook", o.hook, "host", o.host, "error", o.Detail)
}

// forget drops hooks that work and have not been told of lately.
func (h *health) forget(now time.Time) {
	for id, f := range h.hooks {
		if f.since.IsZero() && now.Sub(f.told) >= tellEvery {
			delete(h.hooks, id)
		}
	}
}
