package sse

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"itemcast/internal/problem"
)

const (
	// maxHold is how long a new stream waits for a server that cannot answer now.
	maxHold = 20 * time.Second

	// The waits between two attempts double from firstWait to longestWait.
	firstWait   = 250 * time.Millisecond
	longestWait = 2 * time.Second

	// maxReason limits how much of a refusal the client is shown, in bytes.
	maxReason = 4 << 10
)

// errHeld ends an attempt that waits itself, such as for a connection to the database.
var errHeld = problem.New(problem.Unavailable, "Itemcast cannot begin the stream at the moment. Try again soon.")

// Hold makes new event streams wait while the server cannot answer, such as during an outage of the database. An
// EventSource gives up for good at any status but 200, also when it reconnects. So Hold calls next again, until next
// begins the stream or refuses it with another status than 429 and 5xx. After 20 seconds, or when the server shuts
// down, a GET gets a stream that ends at once, and its EventSource reconnects. A POST gets the refusal: the clients
// that send one retry after it, and can show it.
//
// wants reports whether a request asks for an event stream. Hold passes on all others.
func Hold(wants func(*http.Request) bool, next http.Handler) http.Handler {
	return holdFor(maxHold, wants, next)
}

func holdFor(limit time.Duration, wants func(*http.Request) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodPost || !wants(r) {
			next.ServeHTTP(w, r)
			return
		}
		h := held{response: w, body: replay{source: r.Body}, end: time.Now().Add(limit)}
		for wait := firstWait; !h.attempt(next, r); wait = min(2*wait, longestWait) {
			if !h.pause(r.Context(), max(wait, h.retryAfter())) {
				h.sendAway(r)
				return
			}
		}
	})
}

// held is a request that waits. It is the ResponseWriter of the attempts, one after the other.
type held struct {
	response http.ResponseWriter
	body     replay
	end      time.Time // of the wait

	// Of one attempt. The stream may last for days, so begin releases what it does not need.
	header  http.Header // nil once the answer has begun
	refusal int         // status; 0 for none
	reason  bytes.Buffer
	timer   *time.Timer // ends the attempt
}

// attempt calls a handler, and reports whether the handler has answered.
func (h *held) attempt(next http.Handler, r *http.Request) bool {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	h.timer = time.AfterFunc(time.Until(h.end), func() { cancel(errHeld) })
	h.header, h.refusal = h.response.Header().Clone(), 0
	h.reason.Reset()
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		h.body.rewind()
		r.Body = &h.body
	}
	next.ServeHTTP(h, r)
	if h.refusal != 0 {
		h.timer.Stop()
		return false
	}
	h.begin()
	return true
}

// pause waits, and reports whether another attempt may follow.
func (h *held) pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(min(wait, time.Until(h.end)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return time.Now().Before(h.end)
	case <-ctx.Done():
		return false
	}
}

// retryAfter is the time after which the refusal asks the client to try again.
func (h *held) retryAfter() time.Duration {
	seconds, _ := strconv.Atoi(h.header.Get("Retry-After")) // we send no dates
	return time.Duration(seconds) * time.Second
}

// sendAway ends a request that was refused to the end. The reason is a comment, for people: no client reads it.
func (h *held) sendAway(r *http.Request) {
	status, reason, wait := h.refusal, h.reason.Bytes(), h.retryAfter()
	h.begin()
	h.response.Header().Del("Content-Length") // the reason may have been cut
	if r.Method == http.MethodPost {
		h.response.WriteHeader(status)
		_, _ = h.response.Write(reason) // fails when the client is gone
		return
	}
	h.response.Header().Del("Retry-After")
	out := Begin(h.response)
	out.Retry(max(wait, spread()))
	out.buffer.WriteString(": " + string(bytes.ReplaceAll(reason, []byte("\n"), nil)) + "\n\n")
	_ = out.Flush()
}

// spread is a random wait before a client reconnects, so that the clients of a server that restarts do not all come at
// once.
func spread() time.Duration { return time.Second + rand.N(2*time.Second) }

// begin makes the attempt's headers those of the answer, and releases what only a wait needs.
func (h *held) begin() {
	if h.header == nil {
		return
	}
	h.timer.Stop()
	header := h.response.Header()
	clear(header)
	for name, values := range h.header {
		header[name] = values
	}
	h.header, h.timer, h.reason, h.body = nil, nil, bytes.Buffer{}, replay{source: h.body.source}
}

// Header returns the headers of the attempt.
func (h *held) Header() http.Header {
	if h.header == nil {
		return h.response.Header()
	}
	return h.header
}

// WriteHeader begins the answer, unless the status says that another attempt may succeed.
func (h *held) WriteHeader(status int) {
	switch {
	case h.refusal != 0:
	case h.header != nil && (status == http.StatusTooManyRequests || status >= http.StatusInternalServerError):
		h.refusal = status
	default:
		if status >= http.StatusOK {
			h.begin()
		}
		h.response.WriteHeader(status)
	}
}

// Write writes the answer, or the reason of a refusal.
func (h *held) Write(p []byte) (int, error) {
	if h.refusal != 0 {
		h.reason.Write(p[:min(len(p), maxReason-h.reason.Len())])
		return len(p), nil
	}
	h.begin()
	return h.response.Write(p)
}

// FlushError sends what is buffered. http.ResponseController calls it.
func (h *held) FlushError() error {
	if h.refusal != 0 {
		return nil
	}
	h.begin()
	return http.NewResponseController(h.response).Flush()
}

// Unwrap returns the ResponseWriter of the request. http.ResponseController calls it.
func (h *held) Unwrap() http.ResponseWriter { return h.response }
