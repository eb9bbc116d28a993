package core

import (
	"context"
	"encoding/json"
	"net/http"

	"itemcast/internal/live"
	"itemcast/internal/live/sse"
)

// changeStream sends the changes as server-sent events.
//
// Changes are events of the default type, because EventSource.onmessage gets no other.
type changeStream struct {
	api      *API
	request  *http.Request
	source   live.Source
	follower *live.Follower
	leave    func() // the place among the user's connections
}

func (s *changeStream) VisitListChangesResponse(w http.ResponseWriter) error {
	defer s.leave()
	w.Header().Set("Vary", "Accept")
	out := sse.Begin(w)
	if s.request.Method == http.MethodHead {
		s.follower.Close()
		return nil
	}
	stream := sse.Stream{
		Hub:        s.api.Hub,
		Source:     s.source,
		SignIn:     func() (context.Context, error) { return s.api.Identify(s.request) },
		Watch:      s.api.Watch,
		Checkpoint: (*sse.Writer).Checkpoint,
		Fail: func(out *sse.Writer, err error) {
			out.Event("error", "", s.api.Problems.Text(s.request, err))
		},
	}
	stream.Serve(s.request.Context(), out, s.follower)
	return nil // the answer has begun; it has no other end than this
}

func renderChange(e *live.Event) ([]byte, error) { return json.Marshal(eventChange(e)) }
