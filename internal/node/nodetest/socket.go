package nodetest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Frame is a message of graphql-transport-ws.
type Frame map[string]any

// FollowQuery follows all changes; the variable after is optional.
const FollowQuery = `subscription ($after: Cursor) { itemChanges(after: $after) { cursor kind revision document } }`

// SubscribeFrame subscribes to FollowQuery.
func SubscribeFrame(id string, variables any) Frame {
	return Frame{"type": "subscribe", "id": id, "payload": Frame{"query": FollowQuery, "variables": variables}}
}

// InitFrame signs in.
func InitFrame(authorization string) Frame {
	return Frame{"type": "connection_init", "payload": Frame{"authorization": authorization}}
}

// Socket is a connection that speaks graphql-transport-ws, frame by frame. It answers pings by itself, as every client
// does.
type Socket struct {
	T    testing.TB
	Conn *websocket.Conn

	incoming chan message // closed at the end of the connection
	end      error        // why it ended
	received []message    // before they were asked for
}

type message struct {
	Type    string
	Payload json.RawMessage
}

// Dial opens a connection that has not signed in.
func (c *Client) Dial() *Socket {
	c.T.Helper()
	s, err := c.DialAs("graphql-transport-ws", nil)
	if err != nil {
		c.T.Fatal(err)
	}
	return s
}

// DialAs opens a connection with a subprotocol and the headers of a handshake.
func (c *Client) DialAs(subprotocol string, header http.Header) (*Socket, error) {
	c.T.Helper()
	ctx, cancel := context.WithTimeout(c.T.Context(), Timeout)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, strings.Replace(c.URL, "http", "ws", 1)+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{subprotocol}, HTTPHeader: header})
	if response != nil && response.Body != nil {
		response.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(1 << 20)
	s := &Socket{T: c.T, Conn: conn, incoming: make(chan message, 10_000)}
	go s.read()
	c.T.Cleanup(func() { _ = conn.CloseNow() })
	return s, nil
}

// read takes messages until the connection ends.
func (s *Socket) read() {
	defer close(s.incoming)
	for {
		var m message
		_, raw, err := s.Conn.Read(context.Background())
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			s.end = err
			return
		}
		if m.Type == "ping" {
			_ = s.Conn.Write(context.Background(), websocket.MessageText, []byte(`{"type":"pong"}`)) // Read reports failures
		}
		s.incoming <- m
	}
}

// DialSignedIn opens a connection and signs in.
func (c *Client) DialSignedIn() *Socket {
	c.T.Helper()
	s := c.Dial()
	s.Send(InitFrame(c.Authorization))
	if kind, _ := s.Receive(); kind != "connection_ack" {
		c.T.Fatalf("got %s, want connection_ack", kind)
	}
	return s
}

// Subscribe opens a connection and starts one subscription on it, which follows from this moment or from its cursor.
func (c *Client) Subscribe(query string, variables any) *Socket {
	c.T.Helper()
	s := c.DialSignedIn()
	s.Send(Frame{"type": "subscribe", "id": "1", "payload": Frame{"query": query, "variables": variables}})
	s.Sync()
	return s
}

// Sync returns when the server has taken all that was sent. A subscription without a cursor begins then at the latest.
func (s *Socket) Sync() {
	s.T.Helper()
	s.Send(Frame{"type": "ping"})
	for {
		m := s.take()
		if m.Type == "pong" {
			return
		}
		s.received = append(s.received, m)
	}
}

// Send sends a message.
func (s *Socket) Send(message any) {
	s.T.Helper()
	raw, err := json.Marshal(message)
	if err != nil {
		s.T.Fatal(err)
	}
	if err := s.Conn.Write(s.T.Context(), websocket.MessageText, raw); err != nil {
		s.T.Fatal(err)
	}
}

// Receive returns the next message that is no ping or pong, its payload byte for byte.
func (s *Socket) Receive() (kind string, payload json.RawMessage) {
	s.T.Helper()
	for {
		if m := s.next(); m.Type != "ping" && m.Type != "pong" {
			return m.Type, m.Payload
		}
	}
}

// ReceiveEvent returns the next message, which must be an event of itemChanges.
func (s *Socket) ReceiveEvent() Event {
	s.T.Helper()
	kind, payload := s.Receive()
	var response struct {
		Data   struct{ ItemChanges Event }
		Errors json.RawMessage
	}
	if err := json.Unmarshal(payload, &response); err != nil || kind != "next" || response.Errors != nil {
		s.T.Fatalf("got %s %s, want an event", kind, payload)
	}
	return response.Data.ItemChanges
}

// Await discards messages up to one of a type.
func (s *Socket) Await(kind string) {
	s.T.Helper()
	for s.next().Type != kind {
	}
}

// AwaitClose waits until the server closes the connection, and returns the code and reason. It discards messages.
func (s *Socket) AwaitClose() (code int, reason string) {
	s.T.Helper()
	for timeout := time.After(Timeout); ; {
		select {
		case _, open := <-s.incoming:
			if open {
				continue
			}
			closing, _ := errors.AsType[websocket.CloseError](s.end)
			return int(closing.Code), closing.Reason
		case <-timeout:
			s.T.Fatal("the server does not close the connection")
		}
	}
}

// next returns the oldest message.
func (s *Socket) next() message {
	s.T.Helper()
	if len(s.received) > 0 {
		m := s.received[0]
		s.received = s.received[1:]
		return m
	}
	return s.take()
}

// take returns the next message from the connection.
func (s *Socket) take() message {
	s.T.Helper()
	select {
	case m, open := <-s.incoming:
		if !open {
			s.T.Fatalf("the connection has ended: %v", s.end)
		}
		return m
	case <-time.After(Timeout):
		s.T.Fatal("nothing came")
		panic("unreachable")
	}
}
