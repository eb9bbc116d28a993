package graph_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"itemcast/internal/node/nodetest"
)

// The close codes of graphql-transport-ws (enisdenjo/graphql-ws, PROTOCOL.md).
func TestProtocol_AViolationHasItsCloseCode(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	init := nodetest.Frame{"type": "connection_init",
		"payload": nodetest.Frame{"authorization": nodetest.BasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)}}
	for name, c := range map[string]struct {
		frames []any
		code   int
	}{
		"subscribe before init":      {[]any{nodetest.SubscribeFrame("1", nil)}, 4401},
		"init twice":                 {[]any{init, init}, 4429},
		"an id twice":                {[]any{init, nodetest.SubscribeFrame("1", nil), nodetest.SubscribeFrame("1", nil)}, 4409},
		"a wrong password":           {[]any{nodetest.Frame{"type": "connection_init", "payload": nodetest.Frame{"authorization": nodetest.BasicAuth(nodetest.AdminEmail, "wrong")}}}, 4401},
		"no Basic credentials":       {[]any{nodetest.Frame{"type": "connection_init", "payload": nodetest.Frame{"authorization": "Bearer x"}}}, 4401},
		"no message":                 {[]any{init, "x"}, 4400},
		"an unknown type":            {[]any{init, nodetest.Frame{"type": "start", "id": "1"}}, 4400},
		"a server's type":            {[]any{init, nodetest.Frame{"type": "next", "id": "1"}}, 4400},
		"no id":                      {[]any{init, nodetest.Frame{"type": "subscribe", "payload": nodetest.Frame{"query": nodetest.FollowQuery}}}, 4400},
		"no payload":                 {[]any{init, nodetest.Frame{"type": "subscribe", "id": "1"}}, 4400},
		"a payload that is a list":   {[]any{nodetest.Frame{"type": "connection_init", "payload": []int{1}}}, 4400},
		"an id that occurs twice":    {[]any{init, json.RawMessage(`{"type":"subscribe","id":"1","id":"2","payload":{"query":"{ me { id } }"}}`)}, 4400},
		"credentials twice":          {[]any{json.RawMessage(`{"type":"connection_init","payload":{"authorization":"Basic eDp5","authorization":"Basic eDp6"}}`)}, 4400},
		"an unknown member twice":    {[]any{json.RawMessage(`{"type":"ping","a":1,"a":2}`)}, 4400},
		"a ping's payload":           {[]any{json.RawMessage(`{"type":"ping","payload":{"a":1,"a":2}}`)}, 4400},
		"another spelling":           {[]any{json.RawMessage(`{"Type":"ping"}`)}, 4400},
		"a message that is too long": {[]any{init, nodetest.SubscribeFrame("1", strings.Repeat("x", 2<<20))}, 1009},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := n.Dial()
			for _, f := range c.frames {
				raw, err := json.Marshal(f)
				if err != nil {
					t.Fatal(err)
				}
				_ = s.Conn.Write(t.Context(), websocket.MessageText, raw) // the server may have closed already
			}
			if code, reason := s.AwaitClose(); code != c.code {
				t.Errorf("closed with %d %q, want %d", code, reason, c.code)
			}
		})
	}
	t.Run("no init", func(t *testing.T) {
		t.Parallel()
		if code, reason := n.Dial().AwaitClose(); code != 4408 {
			t.Errorf("closed with %d %q, want 4408", code, reason)
		}
	})
	t.Run("another subprotocol", func(t *testing.T) {
		t.Parallel()
		s, err := n.DialAs("graphql-ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		if code, _ := s.AwaitClose(); code != 4406 {
			t.Errorf("closed with %d, want 4406", code)
		}
	})
}

func TestProtocol_AnIDCanBeUsedAgainAfterItsOperation(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	s := n.DialSignedIn()
	for range 20 {
		s.Send(nodetest.SubscribeFrame("1", nil))
		s.Send(nodetest.Frame{"type": "complete", "id": "1"})
	}
	s.Send(nodetest.Frame{"type": "complete", "id": "never begun"})
	s.Send(nodetest.Frame{"type": "subscribe", "id": "2", "payload": nodetest.Frame{"query": "{ me { email } }"}})
	for _, want := range []string{"next", "complete"} {
		if kind, payload := s.Receive(); kind != want {
			t.Fatalf("got %s %s, want %s", kind, payload, want)
		}
	}
	s.Send(nodetest.SubscribeFrame("2", nil))
	s.Send(nodetest.Frame{"type": "ping"})
	s.Await("pong")
	n.Call("POST", "/api/v1/items", `{"name":"a"}`).WantStatus(t, 201)
	if got := s.ReceiveEvent(); got.Kind != "CREATED" {
		t.Errorf("got %+v", got)
	}
}

func TestProtocol_PingIsAnsweredBeforeInit(t *testing.T) {
	t.Parallel()
	s := nodetest.Start(t).Dial()
	s.Send(nodetest.Frame{"type": "ping"})
	s.Await("pong")
}

// An error of a subscription has its code, and ends the operation but not the connection.
func TestProtocol_AnErrorEndsTheOperationOnly(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	s := n.DialSignedIn()
	for id, c := range map[string]struct {
		query     string
		variables any
		code      string
	}{
		"bad cursor":      {nodetest.FollowQuery, nodetest.Vars{"after": "x"}, "INVALID_CURSOR"},
		"cursor ahead":    {nodetest.FollowQuery, nodetest.Vars{"after": n.Feed.Cursor(1 << 40)}, "INVALID_CURSOR"},
		"foreign cursor":  {nodetest.FollowQuery, nodetest.Vars{"after": nodetest.ForeignCursor}, "CURSOR_EXPIRED"},
		"bad filter":      {`subscription { itemChanges(filter: {search: "\u0000"}) { cursor } }`, nil, "INVALID_INPUT"},
		"no field":        {`subscription { itemChanges(filter: {metadata: [{key: "none", value: ""}]}) { cursor } }`, nil, "INVALID_INPUT"},
		"no ids":          {`subscription { itemChanges(ids: []) { cursor } }`, nil, "INVALID_INPUT"},
		"many ids":        {`subscription ($i: [ID!]) { itemChanges(ids: $i) { cursor } }`, nodetest.Vars{"i": slices.Repeat([]string{"01890a5d-ac96-774b-bcce-b302099a8057"}, 201)}, "INVALID_INPUT"},
		"no id":           {`subscription { itemChanges(ids: ["7"]) { cursor } }`, nil, "INVALID_INPUT"},
		"no fields":       {`subscription { itemChanges(changedFields: []) { cursor } }`, nil, "INVALID_INPUT"},
		"many fields":     {`subscription ($f: [ItemField!]) { itemChanges(changedFields: $f) { cursor } }`, nodetest.Vars{"f": slices.Repeat([]string{"NAME"}, 21)}, "INVALID_INPUT"},
		"unknown field":   {`subscription { itemChanges(changedFields: [REVISION]) { cursor } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
		"as a variable":   {`subscription ($f: [ItemField!]) { itemChanges(changedFields: $f) { cursor } }`, nodetest.Vars{"f": []string{"name"}}, "INVALID_INPUT"},
		"parse error":     {`subscription {`, nil, "GRAPHQL_PARSE_FAILED"},
		"no such field":   {`subscription { itemChanges { secret } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
		"two root fields": {`subscription { a: itemChanges { cursor } b: itemChanges { cursor } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
		"introspection":   {`subscription { __typename }`, nil, "GRAPHQL_VALIDATION_FAILED"},
	} {
		s.Send(nodetest.Frame{"type": "subscribe", "id": id,
			"payload": nodetest.Frame{"query": c.query, "variables": c.variables}})
		kind, payload := s.Receive()
		if kind != "error" && kind != "next" || !slices.Contains(codesIn(t, payload), c.code) {
			t.Errorf("%s: got %s %s, want %s", id, kind, payload, c.code)
		}
		(nodetest.Response{Body: payload}).WantNoInternals(t, id)
		if kind == "next" {
			if kind, _ := s.Receive(); kind != "complete" {
				t.Errorf("%s: got %s, want complete", id, kind)
			}
		}
	}
	s.Send(nodetest.SubscribeFrame("1", nil))
	s.Send(nodetest.Frame{"type": "ping"})
	s.Await("pong")
	n.Call("POST", "/api/v1/items", `{"name":"a"}`).WantStatus(t, 201)
	s.ReceiveEvent()
}

// codesIn returns the codes of a payload's errors; the payload is a list of them or a response.
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
