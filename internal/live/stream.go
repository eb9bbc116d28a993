package live

import (
	"context"
	"sort"
	"sync"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
)

// A stream retains its newest messages for followers that are a little behind or have just resumed. A follower that is
// further behind reads the log by a reader of its own.
const (
	maxMessages    = 1024
	maxBytes       = 4 << 20   // of bodies, in one stream
	maxBytesOfNode = 256 << 20 // of bodies, in all streams

	// nearPast is how many changes before the present a new stream may begin, so that followers that resume from a
	// recent cursor can share it.
	nearPast = 512

	// Limits of one Follower.Next.
	maxTaken      = 64
	maxTakenBytes = 256 << 10
)

// Message is an event as it is sent to every follower of a stream. It is shared and must not be modified.
type Message struct {
	Cursor string // of this event: a resume from it continues with the next
	Body   []byte

	position change.Position
}

// streamKey is what followers of one stream have in common.
type streamKey struct{ visibility, source string }

// stream reads, filters and renders changes once for all its followers. It runs while it has any.
type stream struct {
	hub    *Hub
	key    streamKey
	opener uuid.UUID // the client whose limit of streams it counts against
	source Source
	stop   context.CancelFunc
	opened chan struct{} // closed when the source is open or could not be opened

	followers int // guarded by hub.mu

	mu       sync.RWMutex
	messages []Message       // the newest, in order
	bytes    int             // of their bodies
	floor    change.Position // messages has every message after this position
	examined change.Position // the last change that was examined
	moved    chan struct{}   // closed and replaced when messages are added or dropped; closed at the end
	err      error           // why the stream ended
}

// join adds a follower to the source's stream, and starts the stream for its first follower.
func (h *Hub) join(actor account.Actor, source Source, position change.Position) (*stream, error) {
	key := streamKey{actor.Visibility(), source.Key}
	h.mu.Lock()
	defer h.mu.Unlock()
	s, running := h.streams[key]
	if !running {
		client := clientOf(actor)
		if h.opened[client] >= h.maxPerUser {
			return nil, problem.New(problem.TooManyRequests, "You have %d distinct subscriptions, the limit for a "+
				"user or an access token; end some. (The operator sets it with ITEMCAST_CONNECTIONS_PER_USER.)", h.maxPerUser)
		}
		if head := h.feed.Head(); position < head-nearPast || position > head {
			position = head
		}
		ctx, cancel := context.WithCancel(account.WithActor(context.Background(), actor))
		s = &stream{
			hub: h, key: key, opener: client, source: source, stop: cancel, opened: make(chan struct{}),
			floor: position, examined: position, moved: make(chan struct{}),
		}
		h.streams[key] = s
		h.opened[client]++
		go s.run(ctx)
	}
	s.followers++
	return s, nil
}

// leave removes a follower. The last one stops the stream.
func (s *stream) leave() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.followers--; s.followers == 0 {
		s.unlist()
		s.stop()
	}
}

// unlist makes the next follower start the stream anew. The caller holds hub.mu.
func (s *stream) unlist() {
	if s.hub.streams[s.key] != s {
		return
	}
	delete(s.hub.streams, s.key)
	if s.hub.opened[s.opener]--; s.hub.opened[s.opener] == 0 {
		delete(s.hub.opened, s.opener)
	}
}

func (s *stream) run(ctx context.Context) {
	err := s.publishAll(ctx)
	h := s.hub
	h.mu.Lock()
	s.unlist()
	h.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	s.clear()
	select {
	case <-s.opened:
	default:
		close(s.opened)
	}
	close(s.moved)
}

// publishAll publishes the source's events until ctx ends or the source fails for good.
func (s *stream) publishAll(ctx context.Context) error {
	r, err := s.hub.open(ctx, s.source, s.floor)
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
		case err != nil && problem.IsTemporary(err):
			wake.Pause(ctx, retryInterval)
		case err != nil:
			return err
		case !more:
			_ = r.subscription.Wait(ctx)
		}
	}
}

// publish adds messages and drops the oldest beyond the limits.
func (s *stream) publish(messages []Message, examined change.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if examined == s.examined {
		return
	}
	s.examined = examined
	before := s.bytes
	for _, m := range messages {
		s.bytes += len(m.Body)
	}
	s.messages = append(s.messages, messages...)
	ofNode, drop := s.hub.bytes.Add(int64(s.bytes-before)), 0
	for drop < len(s.messages)-1 &&
		(len(s.messages)-drop > maxMessages || s.bytes > maxBytes || ofNode > maxBytesOfNode) {
		oldest := s.messages[drop]
		s.floor, s.bytes = oldest.position, s.bytes-len(oldest.Body)
		ofNode = s.hub.bytes.Add(-int64(len(oldest.Body)))
		drop++
	}
	s.messages = s.messages[drop:] // the array still refers to dropped messages until append moves it
	s.hub.rendered.Add(int64(len(messages)))
	if len(messages) > 0 { // changes that were filtered out wake no follower
		s.wake()
	}
}

// dropMessages drops all messages. Followers then read from the log what they have not taken yet.
func (s *stream) dropMessages() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.messages) == 0 || s.err != nil {
		return
	}
	s.clear()
	s.wake()
}

// clear drops all messages. The caller holds mu.
func (s *stream) clear() {
	s.hub.bytes.Add(-int64(s.bytes))
	s.messages, s.bytes, s.floor = nil, 0, s.examined
}

// wake wakes the followers that wait. The caller holds mu.
func (s *stream) wake() {
	close(s.moved)
	s.moved = make(chan struct{})
}

// retained is what a stream has after a position.
type retained struct {
	messages []Message
	position change.Position // to continue from after these messages
	moved    <-chan struct{} // closed when there is more
	behind   bool            // the stream has dropped messages after the position
	err      error           // why the stream ended; there are no more messages
}

// after returns the messages after a position, up to the limits of one Follower.Next.
func (s *stream) after(position change.Position) retained {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if position < s.floor {
		return retained{behind: true}
	}
	start := sort.Search(len(s.messages), func(i int) bool { return s.messages[i].position > position })
	end, size := start, 0
	for end < len(s.messages) && end-start < maxTaken && size < maxTakenBytes {
		size += len(s.messages[end].Body)
		end++
	}
	r := retained{messages: s.messages[start:end:end], position: max(position, s.examined), moved: s.moved}
	if end < len(s.messages) {
		r.position = s.messages[end-1].position
	}
	if start == end {
		r.err = s.err
	}
	return r
}

// retains reports whether the stream has every message after a position.
func (s *stream) retains(position change.Position) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return position >= s.floor
}

// failure returns why the stream ended; nil while it runs.
func (s *stream) failure() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.err
}
