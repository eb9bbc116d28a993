package web

import (
	"context"
	"net/http"
	"time"

	"itemcast/internal/live/sse"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
)

const (
	watchPace = time.Second      // between two looks at an item that changes all the time
	watchIdle = 15 * time.Second // after which a silent stream says something, or proxies cut it
	watchEnd  = time.Hour        // of a stream; the browser then opens another
	watchAway = 30 * time.Second // when too many pages are open
	watchLook = 30 * time.Second // the longest time of a look at the database
)

// follow tells a page when it would show something else, by server-sent events: {"version": …}, the version of what
// it would show, or "" if nothing. The first comes at once, so that a page misses nothing between its own answer and
// the stream.
func (p watch) follow(w http.ResponseWriter, r *http.Request) {
	id, err := itemOf(r)
	if err != nil {
		p.Fail(w, r, err)
		return
	}
	changed, stop, full := p.Shows.Follow(id)
	if full != nil {
		out := sse.Begin(w)
		out.Retry(watchAway)
		_ = out.Flush()
		return
	}
	defer stop()
	version, err := p.look(w, r)
	if err != nil {
		p.Fail(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), watchEnd)
	defer cancel()
	out := sse.Begin(w)
	for {
		out.Event("", "", []byte(`{"version":"`+version+`"}`))
		if out.Flush() != nil {
			return
		}
		for shown := version; version == shown; {
			if !wake.Pause(ctx, watchPace) || !p.await(ctx, out, changed) {
				return
			}
			if seen, err := p.look(w, r); err == nil {
				version = seen
			} else if problem.Is(err, problem.NotFound) {
				version = ""
			}
		}
	}
}

// await waits for a change, and keeps the connection open meanwhile. It reports whether the stream goes on.
func (p watch) await(ctx context.Context, out *sse.Writer, changed <-chan struct{}) bool {
	idle := time.NewTicker(watchIdle)
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-changed:
			return true
		case <-idle.C:
			out.Event("idle", "", []byte("{}"))
			if out.Flush() != nil {
				return false
			}
		}
	}
}

// look returns the version of what the page of a request would show now. Error: NOT_FOUND.
func (p watch) look(w http.ResponseWriter, r *http.Request) (string, error) {
	ctx, cancel := context.WithTimeout(r.Context(), watchLook)
	defer cancel()
	show, err := p.show(w, r.WithContext(ctx))
	if err != nil {
		return "", err
	}
	return show.Version(), nil
}
