package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// closed waits for the connection to be closed and returns why; what comes before is passed over.
func (s *socket) closed() (code int, reason string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		if _, _, err := s.conn.Read(ctx); err != nil {
			closing, _ := errors.AsType[websocket.CloseError](err)
			return int(closing.Code), closing.Reason
		}
	}
}

type frame map[string]any

func (n *apiClient) initialised() *socket {
	n.t.Helper()
	s := n.dial()
	s.send(frame{"type": "connection_init", "payload": frame{"authorization": basic(adminEmail, adminPassword)}})
	if kind, _ := s.receive(); kind != "connection_ack" {
		n.t.Fatalf("got %s, want connection_ack", kind)
	}
	return s
}

func subscribeFrame(id string, variables any) frame {
	return frame{"type": "subscribe", "id": id, "payload": frame{"query": follow, "variables": variables}}
}

// The close codes of graphql-transport-ws (enisdenjo/graphql-ws, PROTOCOL.md).
func TestProtocol_WhoBreaksItIsToldByTheCloseCode(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	init := frame{"type": "connection_init", "payload": frame{"authorization": basic(adminEmail, adminPassword)}}
	for name, c := range map[string]struct {
		frames []any
		code   int
	}{
		"subscribe before init":      {[]any{subscribeFrame("1", nil)}, 4401},
		"init twice":                 {[]any{init, init}, 4429},
		"an id twice":                {[]any{init, subscribeFrame("1", nil), subscribeFrame("1", nil)}, 4409},
		"a wrong password":           {[]any{frame{"type": "connection_init", "payload": frame{"authorization": basic(adminEmail, "wrong")}}}, 4403},
		"no Basic credentials":       {[]any{frame{"type": "connection_init", "payload": frame{"authorization": "Bearer x"}}}, 4403},
		"no message":                 {[]any{init, "x"}, 4400},
		"an unknown type":            {[]any{init, frame{"type": "start", "id": "1"}}, 4400},
		"a server's type":            {[]any{init, frame{"type": "next", "id": "1"}}, 4400},
		"no id":                      {[]any{init, frame{"type": "subscribe", "payload": frame{"query": follow}}}, 4400},
		"no payload":                 {[]any{init, frame{"type": "subscribe", "id": "1"}}, 4400},
		"a payload that is a list":   {[]any{frame{"type": "connection_init", "payload": []int{1}}}, 4400},
		"a message that is too long": {[]any{init, subscribeFrame("1", strings.Repeat("x", 2<<20))}, 1009},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := n.dial()
			for _, f := range c.frames {
				raw, err := json.Marshal(f)
				if err != nil {
					t.Fatal(err)
				}
				_ = s.conn.Write(t.Context(), websocket.MessageText, raw) // the server may have closed already
			}
			if code, reason := s.closed(); code != c.code {
				t.Errorf("closed with %d %q, want %d", code, reason, c.code)
			}
		})
	}
	t.Run("no init", func(t *testing.T) {
		t.Parallel()
		if code, reason := n.dial().closed(); code != 4408 {
			t.Errorf("closed with %d %q, want 4408", code, reason)
		}
	})
	t.Run("another subprotocol", func(t *testing.T) {
		t.Parallel()
		conn, response, err := websocket.Dial(t.Context(), strings.Replace(n.url, "http", "ws", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-ws"}})
		if err != nil {
			t.Fatal(err)
		}
		if response.Body != nil {
			_ = response.Body.Close()
		}
		if code, _ := (&socket{t: t, conn: conn}).closed(); code != 4406 {
			t.Errorf("closed with %d, want 4406", code)
		}
	})
}

func TestProtocol_AnIdIsFreeAgainOnceItsOperationHasEnded(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.initialised()
	for range 20 {
		s.send(subscribeFrame("1", nil))
		s.send(frame{"type": "complete", "id": "1"})
	}
	s.send(frame{"type": "complete", "id": "never begun"})
	s.send(frame{"type": "subscribe", "id": "2", "payload": frame{"query": "{ me { email } }"}})
	for _, want := range []string{"next", "complete"} {
		if kind, payload := s.receive(); kind != want {
			t.Fatalf("got %s %s, want %s", kind, payload, want)
		}
	}
	s.send(subscribeFrame("2", nil))
	s.send(frame{"type": "ping"})
	s.await("pong")
	n.call("POST", "/api/v1/items", `{"name":"a"}`).expect(t, 201)
	if got := s.event(); got.Kind != "CREATED" {
		t.Errorf("got %+v", got)
	}
}

// await passes over messages up to one of a kind.
func (s *socket) await(kind string) {
	s.t.Helper()
	s.awaitWithin(patience, kind)
}

func (s *socket) awaitWithin(wait time.Duration, kind string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), wait)
	defer cancel()
	for {
		_, raw, err := s.conn.Read(ctx)
		if err != nil {
			s.t.Fatalf("read from the socket: %v", err)
		}
		var m struct{ Type string }
		if err := json.Unmarshal(raw, &m); err != nil {
			s.t.Fatal(err)
		}
		if m.Type == kind {
			return
		}
	}
}

func TestProtocol_PingIsAnsweredBeforeInit(t *testing.T) {
	t.Parallel()
	s := startNode(t).dial()
	s.send(frame{"type": "ping"})
	s.await("pong")
}

// foreignCursor is one of another log: an epoch that is not this one's, and a position.
var foreignCursor = base64.RawURLEncoding.EncodeToString(append(bytes.Repeat([]byte{7}, 16), 0, 0, 0, 0, 0, 0, 0, 1))

// What cannot be subscribed to is told by code, in an error that ends the operation and not the connection.
func TestProtocol_AnErrorEndsTheOperationAlone(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.initialised()
	for id, c := range map[string]struct {
		query     string
		variables any
		code      string
	}{
		"bad cursor":      {follow, vars{"after": "x"}, "INVALID_CURSOR"},
		"cursor ahead":    {follow, vars{"after": n.Feed.Cursor(1 << 40)}, "INVALID_CURSOR"},
		"foreign cursor":  {follow, vars{"after": foreignCursor}, "CURSOR_EXPIRED"},
		"bad filter":      {`subscription { itemChanges(filter: {search: "\u0000"}) { cursor } }`, nil, "INVALID_INPUT"},
		"no field":        {`subscription { itemChanges(filter: {metadata: [{key: "none", value: ""}]}) { cursor } }`, nil, "INVALID_INPUT"},
		"no ids":          {`subscription { itemChanges(ids: []) { cursor } }`, nil, "INVALID_INPUT"},
		"many ids":        {`subscription ($i: [ID!]) { itemChanges(ids: $i) { cursor } }`, vars{"i": slices.Repeat([]string{"01890a5d-ac96-774b-bcce-b302099a8057"}, 201)}, "INVALID_INPUT"},
		"no id":           {`subscription { itemChanges(ids: ["7"]) { cursor } }`, nil, "INVALID_INPUT"},
		"no fields":       {`subscription { itemChanges(changedFields: []) { cursor } }`, nil, "INVALID_INPUT"},
		"many fields":     {`subscription ($f: [ItemField!]) { itemChanges(changedFields: $f) { cursor } }`, vars{"f": slices.Repeat([]string{"NAME"}, 21)}, "INVALID_INPUT"},
		"unknown field":   {`subscription { itemChanges(changedFields: [REVISION]) { cursor } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
		"as a variable":   {`subscription ($f: [ItemField!]) { itemChanges(changedFields: $f) { cursor } }`, vars{"f": []string{"name"}}, "INVALID_INPUT"},
		"parse error":     {`subscription {`, nil, "GRAPHQL_PARSE_FAILED"},
		"no such field":   {`subscription { itemChanges { secret } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
		"two root fields": {`subscription { a: itemChanges { cursor } b: itemChanges { cursor } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
		"introspection":   {`subscription { __typename }`, nil, "GRAPHQL_VALIDATION_FAILED"},
	} {
		s.send(frame{"type": "subscribe", "id": id, "payload": frame{"query": c.query, "variables": c.variables}})
		kind, payload := s.receive()
		if kind != "error" && kind != "next" || !slices.Contains(codesIn(t, payload), c.code) {
			t.Errorf("%s: got %s %s, want %s", id, kind, payload, c.code)
		}
		(answer{body: payload}).leaksNothing(t, id)
		if kind == "next" {
			if kind, _ := s.receive(); kind != "complete" {
				t.Errorf("%s: got %s, want complete", id, kind)
			}
		}
	}
	s.send(subscribeFrame("1", nil))
	s.send(frame{"type": "ping"})
	s.await("pong")
	n.call("POST", "/api/v1/items", `{"name":"a"}`).expect(t, 201)
	s.event()
}

// codesIn are the codes of a payload's errors, whether it is a list of them or a response.
func codesIn(t *testing.T, payload json.RawMessage) (codes []string) {
	t.Helper()
	type coded []struct{ Extensions struct{ Code string } }
	var list coded
	if json.Unmarshal(payload, &list) != nil {
		var response struct{ Errors coded }
		if err := json.Unmarshal(payload, &response); err != nil {
			t.Fatal(err)
		}
		list = response.Errors
	}
	for _, e := range list {
		codes = append(codes, e.Extensions.Code)
	}
	return codes
}
