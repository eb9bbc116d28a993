package dispatch

import (
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// healthLogInterval is the minimum time between two warnings about one hook.
const healthLogInterval = time.Minute

// health logs when a hook starts to fail on this node, and when it works again. It does not log every failure, and
// warns about a hook that fails now and then only once in healthLogInterval. Only the writer of results uses it.
type health struct {
	log   *slog.Logger
	now   func() time.Time
	hooks map[uuid.UUID]*failing
}

// failing is a hook that has failed lately.
type failing struct {
	logged   time.Time
	since    time.Time // of the first failure after a success; zero: the hook works
	failures int
}

func newHealth(log *slog.Logger, now func() time.Time) *health {
	return &health{log: log, now: now, hooks: make(map[uuid.UUID]*failing)}
}

func (h *health) record(o outcome) {
	switch o.verdict {
	case succeeded:
		h.succeeded(o.hook)
	case retry, failed, gone:
		h.failed(o)
	}
}

func (h *health) succeeded(id uuid.UUID) {
	f := h.hooks[id]
	if f == nil || f.since.IsZero() {
		return
	}
	h.log.Info("a hook works again", "hook_id", id, "failures", f.failures,
		"duration", h.now().Sub(f.since).Round(time.Millisecond))
	f.since, f.failures = time.Time{}, 0
}

func (h *health) failed(o outcome) {
	now := h.now()
	f := h.hooks[o.hook]
	if f == nil {
		h.forget(now)
		f = &failing{}
		h.hooks[o.hook] = f
	}
	if f.since.IsZero() && now.Sub(f.logged) < healthLogInterval {
		return // if the hook continues to fail, a later failure is logged
	}
	if f.failures++; f.failures > 1 {
		return
	}
	f.logged, f.since = now, now
	if o.task != nil {
		h.log.Warn("the endpoint of a workflow's task fails; see GET /api/v1/deliveries?state=failed",
			"workflow_profile_id", o.task.ProfileID, "task", o.task.Task, "host", o.host, "error", o.Detail)
		return
	}
	h.log.Warn("a hook fails; see GET /api/v1/hooks/{id}", "hook_id", o.hook, "host", o.host, "error", o.Detail)
}

// forget drops hooks that work and have not been logged lately.
func (h *health) forget(now time.Time) {
	for id, f := range h.hooks {
		if f.since.IsZero() && now.Sub(f.logged) >= healthLogInterval {
			delete(h.hooks, id)
		}
	}
}
