package transport

import (
	"encoding/json"
	"fmt"
	"strings"
)

// receive handles a client's message. A client that breaks the protocol is disconnected with the code that says how.
func (s *socket) receive(data []byte) {
	var m struct {
		Type    string          `json:"type"`
		ID      string          `json:"id"`
		Payload json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(data, &m) != nil {
		s.close(closeBadRequest, "Invalid message received")
		return
	}
	payload, valid := decodePayload(m.Payload)
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
