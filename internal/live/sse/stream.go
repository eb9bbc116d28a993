// Package sse sends a live source to one client as server-sent events (HTML Standard §9.2).
//
// It promises that each event's id is a cursor by which the client goes on where it broke off, that a client that stops reading is dropped,
// that a quiet connection is kept from being cut, and that what is sent is what the client's user may see now. It has no queue: what a client
// has not taken stays in the log. It must not know what an event says, nor which API asked for it.
package sse

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/live"
	"itemcast/internal/problem"
)

// ContentType is that of an event stream.
const ContentType = "text/event-stream"

const retryWait = time.Second // for a database that is away

// quietMost is how long nothing is sent: proxies cut connections on which nothing comes, many after 30 s or 60 s.
const quietMost = 15 * time.Second

// Stream is what one client follows, and how it is told.
type Stream struct {
	Hub    *live.Hub
	Source live.Source
	// SignIn signs the request's user in as the user is now.
	SignIn func() (context.Context, error)
	// Watch calls changed when an actor may do other things than before.
	Watch func(actor account.Actor, changed func(error)) (stop func())

	// Event names the events; EventSource.onmessage gets those without a name only.
	Event string
	// Checkpoint tells a cursor, past what was filtered out, so that a resume does not look at it again, and before the first event, so that
	// what comes between a break and its resume is not lost.
	Checkpoint func(out *Writer, cursor string)
	// Fail tells why the stream ends.
	Fail func(out *Writer, err error)
}

// Begin sends the head of an answer that is a stream. It has no deadline but that of each write.
func Begin(w http.ResponseWriter) *Writer {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // a read deadline that passes cancels its request; it fails only where there is no connection
	w.Header().Set("Content-Type", ContentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx
	w.WriteHeader(http.StatusOK)
	return &Writer{response: w, control: control}
}

// Serve sends what a follower of the source is told, until ctx ends with the request or the server, the client stops reading, or its user
// may follow no more. It closes the follower.
//
// What may pass, a stream outlasts: to end it would be worse, as a client that connects again while the database is still away gets a 503,
// and an EventSource gives up for good on that.
func (s *Stream) Serve(ctx context.Context, out *Writer, follower *live.Follower) {
	out.retry(time.Second + rand.N(2*time.Second)) // so that a server that restarts does not meet all its clients at once
	s.Checkpoint(out, follower.Cursor())
	if out.Flush() != nil {
		follower.Close()
		return
	}
	for {
		err := s.follow(ctx, out, follower)
		cursor := follower.Cursor()
		follower.Close()
		if errors.Is(err, errChanged) {
			follower, err = s.renew(ctx, cursor)
		}
		switch {
		case ctx.Err() != nil || errors.Is(err, errGone):
			return
		case err != nil:
			s.Fail(out, err)
			_ = out.Flush()
			return
		}
	}
}

var (
	errGone    = errors.New("the client has gone, or reads no more")
	errChanged = errors.New("the user may do other things than before")
)

// follow sends until the client or its user may go on no more, and says why.
func (s *Stream) follow(ctx context.Context, out *Writer, follower *live.Follower) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.Watch(follower.Actor(), func(error) { cancel(errChanged) })()
	told := follower.Cursor()
	for {
		messages, err := next(ctx, follower)
		for _, m := range messages {
			out.Event(s.Event, m.Cursor, m.Body)
			told = m.Cursor
		}
		switch cursor := follower.Cursor(); {
		case context.Cause(ctx) != nil:
			return context.Cause(ctx)
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			return err
		case err == nil:
		case cursor != told:
			told = cursor
			s.Checkpoint(out, cursor)
		default:
			out.comment()
		}
		if out.Flush() != nil {
			return errGone
		}
	}
}

// next waits no longer than a connection may be quiet.
func next(ctx context.Context, follower *live.Follower) ([]live.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, quietMost)
	defer cancel()
	return follower.Next(ctx)
}

// renew has the user go on with what the user may do now.
func (s *Stream) renew(ctx context.Context, cursor string) (*live.Follower, error) {
	for {
		signedIn, err := s.SignIn()
		if err == nil {
			var follower *live.Follower
			if follower, err = s.Hub.Follow(signedIn, s.Source, cursor); err == nil {
				return follower, nil
			}
		}
		if !problem.MayPass(err) || ctx.Err() != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryWait):
		}
	}
}
