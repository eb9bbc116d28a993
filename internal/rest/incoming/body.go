// Package incoming reads the bodies of requests that bring files. It promises that a client may be slow, but not stuck:
// a body may take as long as it needs while a byte comes at least once a minute. It must not know what a body has.
package incoming

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"itemcast/internal/problem"
)

const (
	idleTimeout   = time.Minute // without a byte from the client
	answerTimeout = time.Minute // for the client to receive the answer
)

// ErrIncomplete is what a client sees when its body ends too early.
var ErrIncomplete = problem.New(problem.BadRequest,
	"The body is incomplete: it ends before the form does. Send the whole form again.")

// Body is the body of a request. Only End may be called while another goroutine reads.
type Body struct {
	// Idle is how long nothing may come.
	Idle time.Duration
	// Waits is whether a byte that comes moves the deadline. Until then, those of ordinary requests hold.
	Waits bool

	r          io.Reader
	header     http.Header // of the answer
	controller *http.ResponseController
	deadline   *Deadline
	extended   time.Time // when the deadline was last moved
	err        error     // why it ended, but for io.EOF
}

// New returns the body of a request that w answers.
func New(w http.ResponseWriter, r *http.Request) *Body {
	return &Body{r: r.Body, header: w.Header(), controller: http.NewResponseController(w), deadline: NewDeadline(w, r),
		Idle: idleTimeout}
}

func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	// A deadline costs less than a microsecond, but each move of it is one.
	if now := time.Now(); b.Waits && now.Sub(b.extended) > b.Idle/60 {
		b.extended = now
		_ = b.deadline.Set(now.Add(b.Idle)) // fails only where there is no connection, as in a test
	}
	n, err := b.r.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.deadline.Finish()
	case err != nil:
		b.err = err
	}
	return n, err
}

// Failure returns what a client sees of a body that was not read to its end; nil if nothing prevented that. caused
// reports whether err is from that failure.
func (b *Body) Failure(err error) (failure error, caused bool) {
	switch {
	case b.err == nil:
		return nil, false
	case errors.Is(b.err, os.ErrDeadlineExceeded):
		failure = problem.New(problem.BadRequest, "Nothing of the body has come for %d seconds. Send it again.",
			int(b.Idle.Seconds()))
	default:
		failure = ErrIncomplete
	}
	return failure, errors.Is(err, b.err)
}

// End ends a Read that waits. It has no effect on a body that was read to its end.
func (b *Body) End() { b.deadline.Stop() }

// EndWith ends reads when ctx ends. Call the result before the answer.
func (b *Body) EndWith(ctx context.Context) (stop func()) {
	ended := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(ended)
		b.End()
	})
	return func() {
		if !cancel() {
			<-ended // later, the connection may belong to another request
		}
	}
}

// Answer gives the client time for the answer, however long the body took. Call it before the answer begins. The
// connection of a body that was stopped is of no further use: net/http may have met the deadline while it watched.
func (b *Body) Answer() {
	if b.deadline.Stopped() {
		b.header.Set("Connection", "close")
	}
	_ = b.controller.SetWriteDeadline(time.Now().Add(answerTimeout))
}
