package live

import (
	"context"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
)

// Follower is one client's place in a stream. It belongs to one goroutine.
type Follower struct {
	hub      *Hub
	stream   *stream
	position change.Position
	ctx      context.Context // carries the actor
	reader   *reader         // while the follower is behind what the stream retains; else nil
}

// Follow joins the stream of a source after a cursor, or at the present when the cursor is empty. Errors:
// INVALID_CURSOR, CURSOR_EXPIRED, TOO_MANY_REQUESTS when the user has too many distinct subscriptions, and those of
// account.Authorize and of the source.
func (h *Hub) Follow(ctx context.Context, source Source, after string) (*Follower, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	position := h.feed.Head()
	if after != "" {
		if position, err = h.feed.ParseCursor(ctx, after); err != nil {
			return nil, err
		}
	}
	s, err := h.join(actor, source, position)
	if err != nil {
		return nil, err
	}
	f := &Follower{hub: h, stream: s, position: position, ctx: ctx}
	select {
	case <-ctx.Done():
		f.Close()
		return nil, ctx.Err()
	case <-s.opened:
	}
	if err := s.failure(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Actor returns the user who follows.
func (f *Follower) Actor() account.Actor {
	actor, _ := account.ActorFrom(f.ctx)
	return actor
}

// Checkpoint returns a cursor of the last change that was examined, whether or not the change was an event.
func (f *Follower) Checkpoint() string { return f.hub.feed.Checkpoint(f.position) }

// Next returns the next messages, at least one; it waits for them until ctx ends. After that, another call continues
// from the same place. Error: why the stream ended, such as CURSOR_EXPIRED when the log no longer retains the
// follower's place.
func (f *Follower) Next(ctx context.Context) ([]Message, error) {
	for {
		if f.reader != nil {
			messages, err := f.readLog(ctx)
			if len(messages) > 0 || err != nil {
				return messages, err
			}
			continue
		}
		next := f.stream.after(f.position)
		switch {
		case next.behind:
			if err := f.openReader(ctx); err != nil {
				return nil, err
			}
			continue
		case len(next.messages) > 0 || next.err != nil:
			f.position = next.position
			return next.messages, next.err
		}
		select {
		case <-next.moved:
		case <-ctx.Done():
			if next := f.stream.after(f.position); !next.behind && len(next.messages) == 0 {
				f.position = next.position
			}
			return nil, ctx.Err()
		}
	}
}

// openReader starts to read from the log what the stream has dropped.
func (f *Follower) openReader(ctx context.Context) error {
	for {
		r, err := f.hub.open(context.WithoutCancel(f.ctx), f.stream.source, f.position)
		switch {
		case err == nil:
			f.reader = r
			f.hub.behind.Add(1)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !problem.IsTemporary(err):
			return err
		}
		wake.Pause(ctx, retryInterval)
	}
}

// readLog reads from the log, and rejoins the stream once it retains what follows.
func (f *Follower) readLog(ctx context.Context) ([]Message, error) {
	messages, _, err := f.reader.next(ctx)
	f.position = f.reader.subscription.position
	if f.stream.retains(f.position) {
		f.closeReader()
	}
	switch {
	case len(messages) > 0 || err == nil:
		return messages, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !problem.IsTemporary(err):
		return nil, err
	}
	wake.Pause(ctx, retryInterval)
	return nil, nil
}

func (f *Follower) closeReader() {
	if f.reader != nil {
		f.reader.stop()
		f.reader = nil
		f.hub.behind.Add(-1)
	}
}

// Close leaves the stream.
func (f *Follower) Close() {
	f.closeReader()
	f.stream.leave()
}
