package incoming

import (
	"net/http"
	"sync"
	"time"
)

// Deadline is the read deadline of a request's body. It has no effect once the body was read to its end: from then on
// net/http watches for the client's end, and after a deadline it would cancel this request and all later ones of the
// connection. Its methods may be called concurrently.
type Deadline struct {
	controller *http.ResponseController

	mu       sync.Mutex
	complete bool // the body was read to its end
	stopped  bool
}

// NewDeadline returns the deadline of a request that w answers.
func NewDeadline(w http.ResponseWriter, r *http.Request) *Deadline {
	return &Deadline{controller: http.NewResponseController(w), complete: r.ContentLength == 0}
}

// Set moves the deadline. Its error is that there is no connection, as in a test.
func (d *Deadline) Set(at time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.complete {
		return nil
	}
	return d.controller.SetReadDeadline(at)
}

// Stop ends a read that waits.
func (d *Deadline) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.complete {
		return
	}
	d.stopped = true
	_ = d.controller.SetReadDeadline(time.Now())
}

// Stopped reports whether Stop has ended the body.
func (d *Deadline) Stopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped
}

// Finish notes that the body was read to its end.
func (d *Deadline) Finish() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.complete = true
	_ = d.controller.SetReadDeadline(time.Time{})
}
