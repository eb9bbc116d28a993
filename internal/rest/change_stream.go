package rest

import (
	"context"
	"encoding/json"
	"net/http"

	"itemcast/internal/eventstream"
	"itemcast/internal/live"
	"itemcast/internal/rest/contract"
)

// changeStream sends the changes as server-sent events.
//
// Changes are events of the default type, because EventSource.onmessage gets no other. A checkpoint is of a type of its own, and carries
// data, although a lone id would do for a browser: the parser under npm's eventsource passes over events without data, their id too, and
// a client that had connected without a cursor would lose what came between a break before the first change and its resume.
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
	out := eventstream.Begin(w)
	if s.request.Method == http.MethodHead {
		s.follower.Close()
		return nil
	}
	stream := eventstream.Stream{
		Hub:        s.api.Hub,
		Source:     s.source,
		SignIn:     func() (context.Context, error) { return s.api.SignIn(s.request) },
		Watch:      s.api.Watch,
		Checkpoint: checkpoint,
		Fail: func(out *eventstream.Writer, err error) {
			out.Event("error", "", contract.ProblemText(s.request, err))
		},
	}
	stream.Serve(s.request.Context(), out, s.follower)
	return nil // the answer has begun; it has no other end than this
}

func checkpoint(out *eventstream.Writer, cursor string) {
	out.Event("checkpoint", cursor, []byte(`{"cursor":"`+cursor+`"}`)) // a cursor is base64url
}

func renderChange(e *live.Event) ([]byte, error) { return json.Marshal(eventChange(e)) }
