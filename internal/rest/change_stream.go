package rest

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"time"

	"itemcast/internal/live"
	"itemcast/internal/problem"
	"itemcast/internal/rest/contract"
)

const (
	eventStream = "text/event-stream"

	streamBatch = 200
	renewEvery  = time.Second      // how late an idle stream learns that its user may follow no more
	quietMost   = 15 * time.Second // proxies cut connections on which nothing comes, many after 30 s or 60 s
)

// changeStream sends a subscription as server-sent events (HTML Standard §9.2), until its client goes or stops reading, its user may
// follow no more, or the server shuts down. It has no queue: what a client has not taken stays in the log.
//
// Changes are events of the default type, because EventSource.onmessage gets no other. A checkpoint is of a type of its own, and carries
// data, although a lone id would do for a browser: the parser under npm's eventsource passes over events without data, their id too, and
// a client that had connected without a cursor would lose what came between a break before the first change and its resume.
type changeStream struct {
	api          *API
	request      *http.Request
	subscription *live.Subscription
	out          eventWriter
	told         string // the last id sent
}

func (s *changeStream) VisitListChangesResponse(w http.ResponseWriter) error {
	setUncached(w.Header())
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("X-Accel-Buffering", "no") // nginx
	w.WriteHeader(http.StatusOK)
	if s.request.Method == http.MethodHead {
		return nil
	}
	s.out = eventWriter{response: w, control: http.NewResponseController(w)}
	s.out.retry(time.Second + rand.N(2*time.Second)) // so that a server that restarts does not meet all its clients at once
	s.checkpoint()
	if s.out.flush() == nil {
		s.follow(s.request.Context())
	}
	return nil // the answer has begun; it has no other end than this
}

func (s *changeStream) follow(ctx context.Context) {
	for {
		more, err := s.read(ctx)
		switch {
		case ctx.Err() != nil: // the client has gone, or the server shuts down
			return
		case err != nil && !problem.MayPass(err):
			// What may pass, a stream outlasts: to end it would be worse, as a client that connects again while the database is still away
			// gets a 503, and an EventSource gives up for good on that. Nothing is sent meanwhile.
			s.out.event("error", "", contract.ProblemText(s.request, err))
			_ = s.out.flush()
			return
		}
		if s.out.flush() != nil {
			return
		}
		if !more {
			s.pause(ctx, err)
		}
	}
}

// read looks at the next part of the log and writes what is to be sent now.
func (s *changeStream) read(ctx context.Context) (more bool, err error) {
	var events []*live.Event
	if err = s.api.renew(s.subscription, s.request); err == nil {
		events, more, err = s.subscription.Read(ctx, streamBatch)
	}
	for _, e := range events {
		raw, err := json.Marshal(eventChange(e))
		if err != nil {
			return false, err
		}
		s.out.event("", e.Cursor, raw)
		s.told = e.Cursor
	}
	switch quiet := s.out.quiet() >= quietMost; {
	case len(events) > 0:
	case (quiet || more) && s.told != s.subscription.Cursor():
		s.checkpoint()
	case quiet:
		s.out.comment()
	}
	return more, err
}

// checkpoint tells a cursor past what was filtered out, so that a resume does not look at it again.
func (s *changeStream) checkpoint() {
	s.told = s.subscription.Cursor()
	s.out.event("checkpoint", s.told, []byte(`{"cursor":"`+s.told+`"}`)) // a cursor is base64url
}

// pause waits for more of the log, or for the next look at who reads it. While the database is away there is nothing to wait for.
func (s *changeStream) pause(ctx context.Context, failure error) {
	ctx, cancel := context.WithTimeout(ctx, renewEvery)
	defer cancel()
	if failure != nil {
		<-ctx.Done()
		return
	}
	_ = s.subscription.Wait(ctx)
}
