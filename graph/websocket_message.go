package graph

import (
	"encoding/json"
	"reflect"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql/handler/transport"
)

// receive holds a client's message against the protocol, which gqlgen does only in part, and returns it as gqlgen is to see it; nil for
// one that needs no more. A client that breaks the protocol is told so by the close code, and the connection ends.
func (c *wsConn) receive(data []byte) ([]byte, error) {
	var m struct {
		Type    string          `json:"type"`
		ID      string          `json:"id,omitempty"`
		Payload json.RawMessage `json:"payload,omitempty"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, c.refuse(closeBadRequest, "Invalid message received")
	}
	var object map[string]json.RawMessage
	fits := len(m.Payload) == 0 || json.Unmarshal(m.Payload, &object) == nil
	switch {
	case m.Type == "connection_init" && c.initialised:
		return nil, c.refuse(closeTooManyInits, "Too many initialisation requests")
	case m.Type == "connection_init" && fits:
		c.initialised = true
		c.awaitInit.Stop()
		return data, nil
	case m.Type == "ping" && !c.initialised: // allowed at any time, but gqlgen waits for connection_init
		return nil, c.write([]byte(`{"type":"pong"}`))
	case m.Type == "pong" && !c.initialised:
		return nil, nil
	case m.Type == "ping", m.Type == "pong":
		return data, nil
	case m.Type == "complete":
		m.ID = c.names.end(m.ID)
		if m.ID == "" {
			return nil, nil // it has ended already
		}
	case m.Type == "subscribe" && !c.initialised:
		return nil, c.refuse(closeUnauthorized, "Unauthorized")
	case m.Type == "subscribe" && m.ID != "" && object != nil:
		name, ok := c.names.begin(m.ID)
		if !ok {
			return nil, c.refuse(closeDuplicate, "Subscriber for the id already exists")
		}
		m.ID = name
	default:
		return nil, c.refuse(closeBadRequest, "Invalid message received")
	}
	return json.Marshal(m)
}

func (c *wsConn) refuse(code int, reason string) error {
	_ = c.WriteClose(code, reason)
	return transport.ErrWebsocketClosed
}

// names gives each operation a name of its own towards gqlgen, which mixes up two of the same id: the client may use an id again as soon as
// it has sent complete, while gqlgen is still ending the first.
type names struct {
	mu     sync.Mutex
	given  uint64
	ours   map[string]string // by the client's id
	theirs map[string]string // by our name
}

// begin names an operation; not ok when one of the same id is running.
func (n *names) begin(id string) (name string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, taken := n.ours[id]; taken {
		return "", false
	}
	n.given++
	name = strconv.FormatUint(n.given, 36)
	n.ours[id], n.theirs[name] = name, id
	return name, true
}

// end forgets an operation and returns its name; "" when there is none.
func (n *names) end(id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := n.ours[id]
	delete(n.ours, id)
	delete(n.theirs, name)
	return name
}

// toClient gives gqlgen's message (a pointer to a struct that it does not export) the client's id. False: the operation has ended.
func (n *names) toClient(message any) bool {
	fields := reflect.ValueOf(message).Elem()
	name := fields.FieldByName("ID")
	if name.Len() == 0 {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	id, running := n.theirs[name.String()]
	if !running {
		return false
	}
	if kind := fields.FieldByName("Type").String(); kind == "error" || kind == "complete" {
		delete(n.theirs, name.String())
		delete(n.ours, id)
	}
	name.SetString(id)
	return true
}
