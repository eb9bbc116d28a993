package nodetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// closeCode reads until the server closes.
func (s *Socket) CloseCode() websocket.StatusCode {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(s.T.Context(), Timeout)
	defer cancel()
	for {
		if _, _, err := s.Conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// socket is a connection that speaks graphql-transport-ws, frame by frame.
type Socket struct {
	T    *testing.T
	Conn *websocket.Conn
}

func (n *Client) Dial() *Socket {
	n.T.Helper()
	ctx, cancel := context.WithTimeout(n.T.Context(), Timeout)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, strings.Replace(n.URL, "http", "ws", 1)+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		n.T.Fatal(err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	conn.SetReadLimit(1 << 20)
	n.T.Cleanup(func() { _ = conn.CloseNow() })
	return &Socket{T: n.T, Conn: conn}
}

// subscribe opens a connection and starts one subscription on it.
func (n *Client) Subscribe(query string, variables any) *Socket {
	n.T.Helper()
	s := n.Dial()
	s.Send(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": n.Authorization}})
	if kind, _ := s.Receive(); kind != "connection_ack" {
		n.T.Fatalf("got %s, want connection_ack", kind)
	}
	s.Send(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": query, "variables": variables}})
	return s
}

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

// receive returns the next message that is no ping, its payload byte for byte. Pings it answers, as every client does.
func (s *Socket) Receive() (kind string, payload json.RawMessage) {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(s.T.Context(), Timeout)
	defer cancel()
	for {
		_, raw, err := s.Conn.Read(ctx)
		if err != nil {
			s.T.Fatalf("read from the socket: %v", err)
		}
		var message struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(raw, &message); err != nil {
			s.T.Fatal(err)
		}
		switch message.Type {
		case "ping":
			s.Send(map[string]string{"type": "pong"})
		case "pong":
		default:
			return message.Type, message.Payload
		}
	}
}

func (s *Socket) Event() Event {
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

// closed waits for the connection to be closed and returns why; what comes before is passed over.
func (s *Socket) Closed() (code int, reason string) {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(s.T.Context(), Timeout)
	defer cancel()
	for {
		if _, _, err := s.Conn.Read(ctx); err != nil {
			closing, _ := errors.AsType[websocket.CloseError](err)
			return int(closing.Code), closing.Reason
		}
	}
}

type Frame map[string]any

func (n *Client) DialSignedIn() *Socket {
	n.T.Helper()
	s := n.Dial()
	s.Send(Frame{"type": "connection_init", "payload": Frame{"authorization": BasicAuth(AdminEmail, AdminPassword)}})
	if kind, _ := s.Receive(); kind != "connection_ack" {
		n.T.Fatalf("got %s, want connection_ack", kind)
	}
	return s
}

func SubscribeFrame(id string, variables any) Frame {
	return Frame{"type": "subscribe", "id": id, "payload": Frame{"query": FollowQuery, "variables": variables}}
}

// await passes over messages up to one of a kind.
func (s *Socket) Await(kind string) {
	s.T.Helper()
	s.AwaitWithin(Timeout, kind)
}

func (s *Socket) AwaitWithin(wait time.Duration, kind string) {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(s.T.Context(), wait)
	defer cancel()
	for {
		_, raw, err := s.Conn.Read(ctx)
		if err != nil {
			s.T.Fatalf("read from the socket: %v", err)
		}
		var m struct{ Type string }
		if err := json.Unmarshal(raw, &m); err != nil {
			s.T.Fatal(err)
		}
		if m.Type == kind {
			return
		}
	}
}

// foreignCursor is one of another log: an epoch that is not this one's, and a position.
var ForeignCursor = base64.RawURLEncoding.EncodeToString(append(bytes.Repeat([]byte{7}, 16), 0, 0, 0, 0, 0, 0, 0, 1))

const FollowQuery = `subscription ($after: Cursor) { itemChanges(after: $after) { cursor kind revision document } }`
