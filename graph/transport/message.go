package transport

import (
	"encoding/json"
	"fmt"
	"strings"

	"itemcast/internal/jsonobject"
	"itemcast/internal/strictjson"
)

// message is what a client sends.
type message struct {
	Type    string
	ID      string
	Payload json.RawMessage
}

// decodeMessage decodes a message. It refuses a member that occurs twice, because proxies and servers disagree about
// which one counts.
func decodeMessage(data []byte) (m message, valid bool) {
	if !json.Valid(data) {
		return m, false
	}
	members, err := jsonobject.Members(data)
	if err != nil {
		return m, false
	}
	seen := make(map[string]bool, len(members))
	for _, member := range members {
		switch member.Name {
		case "type":
			err = json.Unmarshal(member.Value, &m.Type)
		case "id":
			err = json.Unmarshal(member.Value, &m.ID)
		case "payload":
			m.Payload = member.Value
		}
		if err != nil || seen[member.Name] {
			return m, false
		}
		seen[member.Name] = true
	}
	return m, true
}

// receive handles a client's message. A client that breaks the protocol is disconnected with the code that says how.
func (s *socket) receive(data []byte) {
	m, valid := decodeMessage(data)
	if !valid {
		s.close(closeBadRequest, "Invalid message received")
		return
	}
	payload, valid := decodePayload(m.Payload)
	valid = valid && (m.Type == "subscribe" || strictjson.Check(data, strictjson.Limits{}) == nil)
	switch {
	case m.Type == "connection_init" && s.initialised:
		s.close(closeTooManyInits, "Too many initialisation requests")
	case m.Type == "connection_init" && valid:
		s.initialised = true
		s.mu.Lock()
		s.timer.Stop()
		s.mu.Unlock()
		s.authenticate(payload)
	case m.Type == "ping" && valid:
		pong := []byte(`{"type":"pong"}`)
		if payload != nil {
			pong = fmt.Appendf(nil, `{"type":"pong","payload":%s}`, m.Payload)
		}
		s.write(pong)
	case m.Type == "pong":
	case m.Type == "complete":
		s.stop(m.ID)
	case m.Type == "subscribe" && !s.initialised:
		s.close(closeUnauthorized, "Unauthorized")
	case m.Type == "subscribe" && m.ID != "" && len(m.ID) <= maxID && payload != nil:
		s.start(m.ID, m.Payload)
	default:
		s.close(closeBadRequest, "Invalid message received")
	}
}

// decodePayload returns a payload's object; nil for none, and valid false for any other JSON.
func decodePayload(raw json.RawMessage) (object map[string]any, valid bool) {
	if len(raw) == 0 || strings.TrimSpace(string(raw)) == "null" {
		return nil, true
	}
	return object, json.Unmarshal(raw, &object) == nil
}
