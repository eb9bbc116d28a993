package oneshot

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"itemcast/internal/problem"
	"itemcast/internal/upload"
)

const (
	idleTimeout   = time.Minute // without a byte from the client
	answerTimeout = time.Minute // for the client to receive the answer

	// fieldsLimit is what a request may send before its ticket has been checked: a ticket, and lines around it.
	fieldsLimit = 256 << 10 // bytes
)

// body is the body of a request. Until its ticket has been admitted, the deadlines of ordinary requests hold; from then
// on each byte that comes moves the deadline.
type body struct {
	r          io.Reader
	controller *http.ResponseController
	idle       time.Duration
	limit      int64 // bytes
	tooLarge   error // when there are more
	read       int64
	admitted   bool
	extended   time.Time // when the deadline was last moved
	err        error     // why it ended, but for io.EOF
}

func newBody(w http.ResponseWriter, r *http.Request) *body {
	return &body{r: r.Body, controller: http.NewResponseController(w), idle: idleTimeout, limit: fieldsLimit,
		tooLarge: problem.New(problem.TooLarge, "The form has more than %d bytes before its first file. Only the ticket's "+
			"fields may come before the files.",
			fieldsLimit)}
}

// admit lets the rest of the body come, for as long as it moves. filesLimit is that of all files together.
func (b *body) admit(filesLimit int64) {
	b.admitted = true
	b.limit = filesLimit + upload.FormOverhead
	b.tooLarge = problem.New(problem.TooLarge, "The form has more than %d bytes beside its files.", upload.FormOverhead)
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	// A deadline costs less than a microsecond, but each move of it is one.
	if now := time.Now(); b.admitted && now.Sub(b.extended) > b.idle/60 {
		b.extended = now
		_ = b.controller.SetReadDeadline(now.Add(b.idle)) // fails only where there is no connection, as in a test
	}
	n, err := b.r.Read(p)
	b.read += int64(n)
	if b.read > b.limit {
		err = b.tooLarge
	}
	switch {
	case errors.Is(err, io.EOF):
		// From now on net/http watches for the client's end, and would take a deadline for it.
		_ = b.controller.SetReadDeadline(time.Time{})
	case err != nil:
		b.err = err
	}
	return n, err
}

// explain returns what a client sees of an error while its body was read.
func (b *body) explain(err error) error {
	switch {
	case b.err == nil || problem.Of(b.err) != nil:
		return cmp.Or(b.err, err)
	case errors.Is(b.err, os.ErrDeadlineExceeded):
		return problem.New(problem.BadRequest, "Nothing of the body has come for %d seconds. Send it again.",
			int(b.idle.Seconds()))
	}
	return errIncomplete
}

var errIncomplete = problem.New(problem.BadRequest,
	"The body is incomplete: it ends before the form does. Send the whole form again.")

// endWith ends reads when ctx ends. Call the result before the answer.
func (b *body) endWith(ctx context.Context) (stop func()) {
	ended := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = b.controller.SetReadDeadline(time.Now())
	})
	return func() {
		if !cancel() {
			<-ended // later, the connection may belong to another request
		}
	}
}

// answer gives the client time for the answer, however long the body took.
func (b *body) answer() {
	_ = b.controller.SetWriteDeadline(time.Now().Add(answerTimeout))
}
