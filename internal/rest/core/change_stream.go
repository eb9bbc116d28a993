package core

import (
	"context"
	"net/http"

	"itemcast/internal/account"
	"itemcast/internal/live"
	"itemcast/internal/live/sse"
	"itemcast/internal/plainjson"
)

// changeStream opens a stream of changes. Requests with the same parameters share a source.
func (a *API) changeStream(
	ctx context.Context, r *http.Request, after string, subscribe subscribe,
) (*changeStream, error) {
	query := r.URL.Query()
	query.Del("after")
	source := live.Source{
		Key: "changes?" + query.Encode(),
		Open: func(ctx context.Context, after string) (*live.Subscription, live.Render, error) {
			subscription, err := subscribe(ctx, after)
			return subscription, renderChange, err
		},
	}
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	release, err := a.Hub.Admit(actor)
	if err != nil {
		return nil, err
	}
	follower, err := a.Hub.Follow(ctx, source, after)
	if err != nil {
		release()
		return nil, err
	}
	return &changeStream{api: a, request: r, source: source, follower: follower, release: release}, nil
}

// changeStream sends changes as server-sent events. They have the default type, because EventSource.onmessage receives
// no other.
type changeStream struct {
	api      *API
	request  *http.Request
	source   live.Source
	follower *live.Follower
	release  func() // of the user's connection
}

func (s *changeStream) VisitListChangesResponse(w http.ResponseWriter) error {
	defer s.release()
	w.Header().Add("Vary", "Accept")
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
	return nil // the response has begun, so an error cannot replace it
}

func renderChange(e *live.Event) ([]byte, error) { return plainjson.Marshal(eventChange(e)) }
