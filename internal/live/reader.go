package live

import (
	"context"
	"time"

	"itemcast/internal/change"
)

// publishEvery bounds how many messages are rendered before followers get them.
const publishEvery = 16

// retryInterval is how long a stream or follower waits before it asks an unavailable database again.
const retryInterval = time.Second

// Render encodes an event. Calls for one subscription do not overlap.
type Render func(*Event) ([]byte, error)

// Source is what a stream follows, and how it renders events.
type Source struct {
	// Key identifies the source. Followers with equal keys and equal visibility get the same bytes.
	Key string
	// Open subscribes after a cursor, as the context's actor. It returns how to render the subscription's events while
	// the context lives.
	Open func(ctx context.Context, after string) (*Subscription, Render, error)
}

// reader is an opened source. It belongs to one goroutine.
type reader struct {
	subscription *Subscription
	render       Render
	stop         context.CancelFunc
}

// open opens a source after a position. The reader lives until ctx ends or stop is called.
func (h *Hub) open(ctx context.Context, source Source, after change.Position) (*reader, error) {
	ctx, cancel := context.WithCancel(ctx)
	subscription, render, err := source.Open(ctx, h.feed.Cursor(after))
	if err != nil {
		cancel()
		return nil, err
	}
	return &reader{subscription, render, cancel}, nil
}

// next renders up to publishEvery events without waiting for any; more reports whether the log may have more already.
// An error after the first event is returned by the next call.
func (r *reader) next(ctx context.Context) (messages []Message, more bool, err error) {
	for range readBatch {
		event, examined, err := r.subscription.step(ctx)
		switch {
		case err != nil && len(messages) > 0:
			return messages, true, nil
		case err != nil || !examined:
			return messages, false, err
		case event != nil:
			body, err := r.render(event)
			if err != nil {
				return nil, false, err
			}
			messages = append(messages, Message{Cursor: event.Cursor, Body: body, position: r.subscription.position})
		}
		if len(messages) == publishEvery || len(messages) > 0 && len(r.subscription.pending) == 0 {
			break
		}
	}
	return messages, true, nil
}
