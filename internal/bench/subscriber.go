package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

const (
	subprotocol       = "graphql-transport-ws"
	subscriptionQuery = `subscription { itemChanges { cursor kind revision occurredAt item { id } document } }`
	longestFrame      = 1 << 20 // bytes
)

// subscriber is a client of the product's subscriptions, over a WebSocket.
type subscriber struct {
	ctx    context.Context // ends with it
	cancel context.CancelFunc
	conn   *websocket.Conn

	mu      sync.Mutex
	frames  []frame
	arrived chan struct{} // one signal waits here at most
}

// frame is a change as it arrived.
type frame struct {
	revision
	received time.Time
}

// openSubscriber connects, signs in by connection_init, subscribes, and waits until the subscription stands.
func openSubscriber(ctx context.Context, addr string) (*subscriber, error) {
	conn, _, err := websocket.Dial(ctx, "ws://"+addr+"/graphql", &websocket.DialOptions{Subprotocols: []string{subprotocol}}) //nolint:bodyclose // it has none
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(longestFrame)
	s := &subscriber{conn: conn, arrived: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(ctx)
	for _, step := range []struct {
		send   any
		expect string
	}{
		{map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": authorization}}, "connection_ack"},
		{map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{"query": subscriptionQuery}}, ""},
		{map[string]any{"type": "ping"}, "pong"}, // it has read the subscription by then
	} {
		if err := s.say(step.send, step.expect); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// changeMessage is what the server sends; anything but a change has only a type.
type changeMessage struct {
	Type    string
	Payload struct {
		Errors json.RawMessage
		Data   struct {
			ItemChanges struct {
				Revision int64
				Item     struct{ ID uuid.UUID }
			}
		}
	}
}

func (s *subscriber) say(message any, expect string) error {
	raw, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if err := s.conn.Write(s.ctx, websocket.MessageText, raw); err != nil || expect == "" {
		return err
	}
	for {
		_, raw, err := s.conn.Read(s.ctx)
		if err != nil {
			return err
		}
		var answer struct{ Type string }
		if err := json.Unmarshal(raw, &answer); err != nil {
			return err
		}
		switch answer.Type {
		case expect:
			return nil
		case "ping":
			continue
		}
		return fmt.Errorf("expected %s and got %s", expect, raw)
	}
}

// read takes frames until the subscriber is closed.
func (s *subscriber) read() error {
	for {
		_, raw, err := s.conn.Read(s.ctx)
		received := time.Now()
		if s.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a frame: %w", err)
		}
		var message changeMessage
		if err := json.Unmarshal(raw, &message); err != nil {
			return fmt.Errorf("read a frame: %w", err)
		}
		c := message.Payload.Data.ItemChanges
		switch {
		case message.Type == "next" && message.Payload.Errors == nil:
			s.add(frame{revision{c.Item.ID, c.Revision}, received})
		case message.Type == "ping":
			if err := s.conn.Write(s.ctx, websocket.MessageText, []byte(`{"type":"pong"}`)); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the subscription ends: %s", raw)
		}
	}
}

func (s *subscriber) add(f frame) {
	s.mu.Lock()
	s.frames = append(s.frames, f)
	s.mu.Unlock()
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

func (s *subscriber) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.frames)
}

// await waits until there are n frames.
func (s *subscriber) await(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, arrivalPatience)
	defer cancel()
	for s.count() < n {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.arrived:
		}
	}
	return nil
}

func (s *subscriber) close() {
	s.cancel()
	_ = s.conn.CloseNow()
}
