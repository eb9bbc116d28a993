package hook

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook/sending"
)

// The events that a hook may ask for.
const (
	ItemCreated   = "item.created"
	ItemUpdated   = "item.updated"
	ItemDeleted   = "item.deleted"
	ItemTriggered = "item.triggered"
)

// EventOf returns the event of a change.
func EventOf(kind change.Kind) string { return events[kind] }

// events says which event a change is.
var events = map[change.Kind]string{
	change.Created:   ItemCreated,
	change.Updated:   ItemUpdated,
	change.Deleted:   ItemDeleted,
	change.Triggered: ItemTriggered,
}

// kinds is the inverse of events.
var kinds = map[string]change.Kind{
	ItemCreated:   change.Created,
	ItemUpdated:   change.Updated,
	ItemDeleted:   change.Deleted,
	ItemTriggered: change.Triggered,
}

// NewMessage returns a message to an endpoint, without what it says.
func NewMessage(url, secret, oldSecret string, headers json.RawMessage) (sending.Message, error) {
	own, err := decodeHeaders(headers)
	if err != nil {
		return sending.Message{}, err
	}
	m := sending.Message{URL: url, Secrets: []string{secret}, Headers: own}
	if oldSecret != "" {
		m.Secrets = append(m.Secrets, oldSecret)
	}
	return m, nil
}

// Thin returns the thin body of a document, and the id of its item.
func Thin(document []byte) (item uuid.UUID, body []byte, err error) {
	var names struct {
		ID       uuid.UUID `json:"id"`
		URL      string    `json:"url"`
		Revision int64     `json:"revision"`
	}
	if err := json.Unmarshal(document, &names); err != nil {
		return uuid.Nil, nil, fmt.Errorf("read the document: %w", err)
	}
	body, err = json.Marshal(names)
	return names.ID, body, err
}
