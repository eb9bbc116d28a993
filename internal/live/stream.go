package live

import (
	"context"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/problem"
)

// What a stream keeps of the newest messages, for followers that are a little behind, and for those that come back. Who is further behind
// reads the log by a subscription of its own.
const (
	keepMessages = 1024
	keepBytes    = 4 << 20   // a stream
	keepAll      = 256 << 20 // all streams of a node

	// nearPast is how many changes a new stream begins before the present, for the sake of who resumes.
	nearPast = 512

	// What a follower takes at once.
	takeMessages = 64
	takeBytes    = 256 << 10

	// publishEvery bounds how many messages wait for one another before followers are told.
	publishEvery = 16

	retryWait = time.Second // how long a stream leaves a database alone that is away
)

// Message is an event as it is sent to everybody who follows a stream. It is shared, and must not be modified.
type Message struct {
	Cursor string // leads to what comes after it
	Body   []byte

	position change.Position
}

// Render writes an event. A stream calls it for one event after the other.
type Render func(*Event) ([]byte, error)

// Source is what a stream tells, and how.
type Source struct {
	// Key names it: whoever follows a source of the same key, and may see the same, gets the same bytes.
	Key string
	// Open subscribes after a cursor, and returns how the subscription's events are rendered while ctx lives. Who acts in ctx may see what
	// the followers may see.
	Open func(ctx context.Context, after string) (*Subscription, Render, error)
}

// streamKey is what followers have in common.
type streamKey struct{ visibility, source string }

// stream reads, filters and renders changes once, for all who follow it. It lives as long as anybody does.
type stream struct {
	hub    *Hub
	key    streamKey
	opener uuid.UUID // the user
	source Source
	stop   context.CancelFunc
	opened chan struct{} // closed when it is open, or has failed to

	followers int // under hub.mu

	mu       sync.RWMutex
	messages []Message       // the newest, in order
	bytes    int             // of their bodies
	floor    change.Position // whatever it told of later changes is in messages
	looked   change.Position // how far it has come
	moved    chan struct{}   // closed, and replaced, when it has come further or has ended
	err      error           // why it ended
}

// Follower is one party's place in a stream. It is used by one goroutine.
type Follower struct {
	hub      *Hub
	stream   *stream
	position change.Position
	ctx      context.Context // says who follows
	alone    *reader         // while it is behind what the stream keeps
}

// Follow joins the stream of a source after a cursor, or at the present when that is empty. Errors: INVALID_CURSOR, CURSOR_EXPIRED,
// TOO_MANY_REQUESTS when a user opens too many streams, those of account.Authorize and of the source.
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
	s.mu.RLock()
	err = s.err
	s.mu.RUnlock()
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// join counts one more follower of a source's stream, which begins with its first.
func (h *Hub) join(actor account.Actor, source Source, position change.Position) (*stream, error) {
	key := streamKey{actor.Visibility(), source.Key}
	h.mu.Lock()
	defer h.mu.Unlock()
	s, running := h.streams[key]
	if !running {
		if h.opened[actor.UserID] >= h.most {
			return nil, problem.New(problem.TooManyRequests, "You follow by %d different subscriptions, as many as a user may have; end some. "+
				"(The operator's setting is ITEMCAST_CONNECTIONS_PER_USER.)", h.most)
		}
		if head := h.feed.Head(); position < head-nearPast || position > head {
			position = head
		}
		ctx, cancel := context.WithCancel(account.WithActor(context.Background(), actor))
		s = &stream{hub: h, key: key, opener: actor.UserID, source: source, stop: cancel, opened: make(chan struct{}), floor: position, looked: position,
			moved: make(chan struct{})}
		h.streams[key] = s
		h.opened[actor.UserID]++
		go s.run(ctx)
	}
	s.followers++
	return s, nil
}

// Actor is who follows.
func (f *Follower) Actor() account.Actor {
	actor, _ := account.ActorFrom(f.ctx)
	return actor
}

// Cursor leads to what the follower has not been told yet: past all that was looked at, told or not.
func (f *Follower) Cursor() string { return f.hub.feed.Cursor(f.position) }

// Next returns the next messages, at least one, waiting for it until ctx ends; it can be called again then. Error: that which ended the
// stream, such as CURSOR_EXPIRED when the follower has fallen behind what the log keeps.
func (f *Follower) Next(ctx context.Context) ([]Message, error) {
	for {
		if f.alone != nil {
			messages, err := f.readAlone(ctx)
			if len(messages) > 0 || err != nil {
				return messages, err
			}
			continue
		}
		there := f.stream.after(f.position)
		switch {
		case there.behind:
			if err := f.fallBack(ctx); err != nil {
				return nil, err
			}
			continue
		case len(there.messages) > 0 || there.err != nil:
			f.position = there.position
			return there.messages, there.err
		}
		select {
		case <-there.moved:
		case <-ctx.Done():
			if there := f.stream.after(f.position); !there.behind && len(there.messages) == 0 {
				f.position = there.position
			}
			return nil, ctx.Err()
		}
	}
}

// fallBack begins to read what the stream keeps no more.
func (f *Follower) fallBack(ctx context.Context) error {
	for {
		r, err := f.hub.read(context.WithoutCancel(f.ctx), f.stream.source, f.position)
		switch {
		case err == nil:
			f.alone = r
			f.hub.behind.Add(1)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !problem.MayPass(err):
			return err
		}
		pause(ctx, retryWait)
	}
}

// readAlone reads on at the follower's own pace, until the stream keeps what comes next.
func (f *Follower) readAlone(ctx context.Context) ([]Message, error) {
	messages, _, err := f.alone.next(ctx)
	f.position = f.alone.subscription.position
	if f.stream.keeps(f.position) {
		f.rejoin()
	}
	switch {
	case len(messages) > 0 || err == nil:
		return messages, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !problem.MayPass(err):
		return nil, err
	}
	pause(ctx, retryWait)
	return nil, nil
}

func (f *Follower) rejoin() {
	if f.alone != nil {
		f.alone.stop()
		f.alone = nil
		f.hub.behind.Add(-1)
	}
}

// Close leaves the stream.
func (f *Follower) Close() {
	f.rejoin()
	h, s := f.hub, f.stream
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.followers--; s.followers == 0 {
		s.forget()
		s.stop()
	}
}

// forget has who comes next begin the stream anew. The hub's lock is held.
func (s *stream) forget() {
	if s.hub.streams[s.key] != s {
		return
	}
	delete(s.hub.streams, s.key)
	if s.hub.opened[s.opener]--; s.hub.opened[s.opener] == 0 {
		delete(s.hub.opened, s.opener)
	}
}

func (s *stream) run(ctx context.Context) {
	err := s.tell(ctx)
	h := s.hub
	h.mu.Lock()
	s.forget()
	h.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	h.bytes.Add(-int64(s.bytes))
	s.messages, s.bytes, s.floor = nil, 0, s.looked
	select {
	case <-s.opened:
	default:
		close(s.opened)
	}
	close(s.moved)
}

// tell publishes what the source has to tell until ctx ends, or the source cannot go on.
func (s *stream) tell(ctx context.Context) error {
	r, err := s.hub.read(ctx, s.source, s.floor)
	if err != nil {
		return err
	}
	defer r.stop()
	close(s.opened)
	for {
		messages, more, err := r.next(ctx)
		s.publish(messages, r.subscription.position)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && problem.MayPass(err):
			pause(ctx, retryWait)
		case err != nil:
			return err
		case !more:
			_ = r.subscription.Wait(ctx)
		}
	}
}

// publish adds messages, and lets go of the oldest.
func (s *stream) publish(messages []Message, looked change.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if looked == s.looked {
		return
	}
	s.looked = looked
	before := s.bytes
	for _, m := range messages {
		s.bytes += len(m.Body)
	}
	s.messages = append(s.messages, messages...)
	all, drop := s.hub.bytes.Add(int64(s.bytes-before)), 0
	for drop < len(s.messages)-1 && (len(s.messages)-drop > keepMessages || s.bytes > keepBytes || all > keepAll) {
		oldest := s.messages[drop]
		s.floor, s.bytes = oldest.position, s.bytes-len(oldest.Body)
		all = s.hub.bytes.Add(-int64(len(oldest.Body)))
		drop++
	}
	s.messages = s.messages[drop:] // as with the log's ring, what is dropped is reachable until the slice moves
	s.hub.rendered.Add(int64(len(messages)))
	if len(messages) > 0 { // nobody is woken for what is not told
		close(s.moved)
		s.moved = make(chan struct{})
	}
}

// kept is what a stream keeps after a position.
type kept struct {
	messages []Message
	position change.Position // of the last of them; with the newest among them, how far the stream has come
	moved    <-chan struct{} // closed when there is more
	behind   bool            // the stream does not keep all that came after the position
	err      error           // the stream has ended, and there is nothing more
}

func (s *stream) after(position change.Position) kept {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if position < s.floor {
		return kept{behind: true}
	}
	start := sort.Search(len(s.messages), func(i int) bool { return s.messages[i].position > position })
	end, size := start, 0
	for end < len(s.messages) && end-start < takeMessages && size < takeBytes {
		size += len(s.messages[end].Body)
		end++
	}
	k := kept{messages: s.messages[start:end:end], position: max(position, s.looked), moved: s.moved}
	if end < len(s.messages) {
		k.position = s.messages[end-1].position
	}
	if start == end {
		k.err = s.err
	}
	return k
}

// Forget drops what the streams keep: it was rendered for those who might see it then. Who is behind reads the log, by what is true now.
func (h *Hub) Forget() {
	h.mu.Lock()
	streams := slices.Collect(maps.Values(h.streams))
	h.mu.Unlock()
	for _, s := range streams {
		s.drop()
	}
}

func (s *stream) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.messages) == 0 || s.err != nil {
		return
	}
	s.hub.bytes.Add(-int64(s.bytes))
	s.messages, s.bytes, s.floor = nil, 0, s.looked
	close(s.moved) // who has not taken them yet is behind now
	s.moved = make(chan struct{})
}

func (s *stream) keeps(position change.Position) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return position >= s.floor
}

// reader is a source that has been opened.
type reader struct {
	subscription *Subscription
	render       Render
	stop         context.CancelFunc
}

func (h *Hub) read(ctx context.Context, source Source, after change.Position) (*reader, error) {
	ctx, cancel := context.WithCancel(ctx)
	subscription, render, err := source.Open(ctx, h.feed.Cursor(after))
	if err != nil {
		cancel()
		return nil, err
	}
	return &reader{subscription, render, cancel}, nil
}

// next renders what there is, up to publishEvery events, without waiting for any; more says that there may be more already. What fails after
// the first fails the next call.
func (r *reader) next(ctx context.Context) (messages []Message, more bool, err error) {
	for range readBatch {
		event, looked, err := r.subscription.step(ctx)
		switch {
		case err != nil && len(messages) > 0:
			return messages, true, nil
		case err != nil || !looked:
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

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
