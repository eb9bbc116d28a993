package sse

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/live"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
)

// ContentType is the media type of an event stream.
const ContentType = "text/event-stream"

// retryInterval is how long to wait before asking an unavailable database again.
const retryInterval = time.Second

// maxIdle is how long a connection may be silent. Proxies cut silent connections, many after 30 s or 60 s.
const maxIdle = 15 * time.Second

// Stream describes what one client follows, and how it is written.
type Stream struct {
	Hub    *live.Hub
	Source live.Source
	// SignIn authenticates the request's user again, with today's permissions.
	SignIn func() (context.Context, error)
	// Watch calls changed when the actor's permissions change; with a reason if the actor has lost access.
	Watch func(actor account.Actor, changed func(error)) (stop func())

	// Event is the type of the events. EventSource.onmessage receives only events without a type.
	Event string
	// Checkpoint writes a cursor that belongs to no event. It comes before the first event, so that a client that loses
	// the connection before then loses no change, and when the connection has been silent for maxIdle. It keeps the
	// connection open then, and a resume does not examine filtered changes again. It comes also if there were none, or
	// it would tell the client of changes that the client may not see.
	Checkpoint func(out *Writer, cursor string)
	// Idle is how long the connection may be silent; 0 for maxIdle.
	Idle time.Duration
	// Fail writes why the stream ends.
	Fail func(out *Writer, err error)
}

// Begin sends the head of an event stream. It removes the read deadline; Flush sets a deadline for each write.
func Begin(w http.ResponseWriter) *Writer {
	control := http.NewResponseController(w)
	// A read deadline that passes would cancel the request. The call fails only without a connection.
	_ = control.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", ContentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx
	w.WriteHeader(http.StatusOK)
	return &Writer{response: w, control: control}
}

// Serve sends the follower's messages until ctx ends, the client stops reading, or its user loses access. It closes the
// follower.
//
// A stream survives an outage of the database: a client that reconnected could only wait (Hold).
func (s *Stream) Serve(ctx context.Context, out *Writer, follower *live.Follower) {
	out.Retry(spread())
	s.Checkpoint(out, follower.Checkpoint())
	if out.Flush() != nil {
		follower.Close()
		return
	}
	for {
		err := s.send(ctx, out, follower)
		cursor := follower.Checkpoint()
		follower.Close()
		if errors.Is(err, errPermissionsChanged) {
			follower, err = s.renew(ctx, cursor)
		}
		switch {
		case ctx.Err() != nil || errors.Is(err, errDisconnected):
			return
		case err != nil:
			s.Fail(out, err)
			_ = out.Flush()
			return
		}
	}
}

var (
	errDisconnected       = errors.New("the client has disconnected or stopped reading")
	errPermissionsChanged = errors.New("the user's permissions have changed")
)

// send sends messages until the stream ends, and returns the reason.
func (s *Stream) send(ctx context.Context, out *Writer, follower *live.Follower) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A reason is final. To sign in again would take a verification of the password, which on a busy machine takes
	// seconds.
	defer s.Watch(follower.Actor(), func(reason error) { cancel(cmp.Or(reason, errPermissionsChanged)) })()
	for {
		messages, err := nextWithin(ctx, follower, cmp.Or(s.Idle, maxIdle))
		for _, m := range messages {
			out.Event(s.Event, m.Cursor, m.Body)
		}
		switch {
		case context.Cause(ctx) != nil:
			return context.Cause(ctx)
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			return err
		case err != nil:
			s.Checkpoint(out, follower.Checkpoint())
		}
		if out.Flush() != nil {
			return errDisconnected
		}
	}
}

func nextWithin(ctx context.Context, follower *live.Follower, timeout time.Duration) ([]live.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return follower.Next(ctx)
}

// renew follows the source again from a cursor, with the permissions that the user has now.
func (s *Stream) renew(ctx context.Context, cursor string) (*live.Follower, error) {
	for {
		signedIn, err := s.SignIn()
		if err == nil {
			var follower *live.Follower
			if follower, err = s.Hub.Follow(signedIn, s.Source, cursor); err == nil {
				return follower, nil
			}
		}
		if !problem.IsTemporary(err) || ctx.Err() != nil {
			return nil, err
		}
		wake.Pause(ctx, retryInterval)
	}
}
