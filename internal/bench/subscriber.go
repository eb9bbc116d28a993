package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"itemcast/internal/wake"
)

const (
	subprotocol       = "graphql-transport-ws"
	subscriptionQuery = `subscription { itemChanges { revision item { id } kind cursor document } }`
	maxFrame          = 1 << 20 // bytes
	frameStartLength  = 256     // bytes; longer than everything before kind
	arrivalTimeout    = 10 * time.Second
)

// connectionInit signs in by the value of a header Authorization.
func connectionInit(authorization string) map[string]any {
	return map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": authorization}}
}

var frameStart = regexp.MustCompile(`"itemChanges":\{"revision":(\d+),"item":\{"id":"([0-9a-f-]{36})"\}`)

// subscriber is a GraphQL subscription over a WebSocket that records when each change arrives.
type subscriber struct {
	ctx    context.Context // ends when the subscriber is closed
	cancel context.CancelFunc
	conn   *websocket.Conn

	mu      sync.Mutex
	frames  []frame
	arrived wake.Signal // signals a new frame; has room for one signal
}

// frame is the start of a message with a change. It is parsed after the measurement, because parsing would share the
// machine with it.
type frame struct {
	start    []byte
	received time.Time
}

// openSubscriber subscribes and returns when the server has read the subscription.
func openSubscriber(ctx context.Context, addr string) (*subscriber, error) {
	s, err := dialSubscriber(ctx, addr, subscriptionQuery, nil)
	if err != nil {
		return nil, err
	}
	if err := s.exchange(map[string]any{"type": "ping"}, "pong"); err != nil { // the server reads messages in order
		s.close()
		return nil, err
	}
	return s, nil
}

// dialSubscriber connects, signs in by connection_init and subscribes.
func dialSubscriber(ctx context.Context, addr, query string, variables map[string]any) (*subscriber, error) {
	options := &websocket.DialOptions{Subprotocols: []string{subprotocol}}
	conn, _, err := websocket.Dial(ctx, "ws://"+addr+"/graphql", options) //nolint:bodyclose // the response has no body
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxFrame)
	s := &subscriber{conn: conn, arrived: wake.New()}
	s.ctx, s.cancel = context.WithCancel(ctx)
	subscription := map[string]any{"query": query, "variables": variables}
	for _, step := range []struct {
		send any
		want string
	}{
		{connectionInit(authorization), "connection_ack"},
		{map[string]any{"type": "subscribe", "id": "1", "payload": subscription}, ""},
	} {
		if err := s.exchange(step.send, step.want); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// exchange sends a message and waits for one of the wanted type, if any.
func (s *subscriber) exchange(message any, want string) error {
	raw, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if err := s.conn.Write(s.ctx, websocket.MessageText, raw); err != nil || want == "" {
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
		case want:
			return nil
		case "ping":
			continue
		}
		return fmt.Errorf("got %s instead of %s", raw, want)
	}
}

// read records frames until the subscriber is closed.
func (s *subscriber) read() error {
	var message bytes.Buffer
	for {
		message.Reset()
		_, in, err := s.conn.Reader(s.ctx)
		if err == nil {
			_, err = message.ReadFrom(in)
		}
		received := time.Now()
		raw := message.Bytes()
		start := raw[:min(len(raw), frameStartLength)]
		switch {
		case s.ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("read a frame: %w", err)
		case bytes.Contains(start, []byte(`"itemChanges":{`)):
			s.add(frame{bytes.Clone(start), received})
		case bytes.Contains(raw, []byte(`"ping"`)):
			if err := s.conn.Write(s.ctx, websocket.MessageText, []byte(`{"type":"pong"}`)); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the subscription ended: %s", raw)
		}
	}
}

func (s *subscriber) add(f frame) {
	s.mu.Lock()
	s.frames = append(s.frames, f)
	s.mu.Unlock()
	s.arrived.Send()
}

func (s *subscriber) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.frames)
}

// await waits until there are n frames.
func (s *subscriber) await(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	for s.count() < n {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-s.arrived:
		}
	}
	return nil
}

// arrivals parses the frames.
func (s *subscriber) arrivals() ([]arrival, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]arrival, len(s.frames))
	for k, f := range s.frames {
		parts := frameStart.FindSubmatch(f.start)
		if parts == nil {
			return nil, fmt.Errorf("cannot parse a frame: %s", f.start)
		}
		id, err := uuid.ParseBytes(parts[2])
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(string(parts[1]), 10, 64)
		if err != nil {
			return nil, err
		}
		all[k] = arrival{revision{id, n}, f.received}
	}
	return all, nil
}

func (s *subscriber) close() {
	s.cancel()
	_ = s.conn.CloseNow()
}
