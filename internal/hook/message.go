package hook

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook/sending"
	"itemcast/internal/optional"
	"itemcast/internal/plainjson"
)

// The events that a hook can ask for.
const (
	ItemCreated   = "item.created"
	ItemUpdated   = "item.updated"
	ItemDeleted   = "item.deleted"
	ItemTriggered = "item.triggered"
)

// events maps the kinds of changes to their events, and kinds maps them back.
var (
	events = map[change.Kind]string{
		change.Created:   ItemCreated,
		change.Updated:   ItemUpdated,
		change.Deleted:   ItemDeleted,
		change.Triggered: ItemTriggered,
	}
	kinds = map[string]change.Kind{
		ItemCreated:   change.Created,
		ItemUpdated:   change.Updated,
		ItemDeleted:   change.Deleted,
		ItemTriggered: change.Triggered,
	}
)

// EventOf returns the event of a kind of change.
func EventOf(kind change.Kind) string { return events[kind] }

func isEvent(name string) bool {
	return slices.Contains([]string{ItemCreated, ItemUpdated, ItemDeleted, ItemTriggered}, name)
}

// NewMessage returns a message to an endpoint, without its content. An empty oldSecret means that there is none. The
// headers are those of a hidden hook if the message is for a task.
func NewMessage(
	url, secret, oldSecret string, headers json.RawMessage, task *change.Task,
) (m sending.Message, err error) {
	var own map[string]string
	if task == nil {
		own, err = decodeHeaders(headers)
	} else {
		own, err = taskHeaders(headers, task.Task)
	}
	if err != nil {
		return sending.Message{}, err
	}
	m = sending.Message{URL: url, Secrets: []string{secret}, Headers: own}
	if oldSecret != "" {
		m.Secrets = append(m.Secrets, oldSecret)
	}
	if task != nil {
		m.Task, m.TaskAt, m.TaskAction = task.Task, task.At, optional.OrZero(task.Action)
	}
	return m, nil
}

func decodeHeaders(raw []byte) (headers map[string]string, err error) {
	if string(raw) == "{}" {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &headers); err != nil {
		return nil, fmt.Errorf("decode headers: %w", err)
	}
	return headers, nil
}

// taskHeaders returns the headers of a task: those of a hidden hook are an object by task key.
func taskHeaders(raw []byte, key string) (map[string]string, error) {
	var headers map[string]map[string]string
	if err := json.Unmarshal(raw, &headers); err != nil {
		return nil, fmt.Errorf("decode headers: %w", err)
	}
	return headers[key], nil
}

// Thin returns the thin body of a document, and the id of its item.
func Thin(document []byte) (item uuid.UUID, body []byte, err error) {
	var members struct {
		ID       uuid.UUID `json:"id"`
		URL      string    `json:"url"`
		Revision int64     `json:"revision"`
	}
	if err := json.Unmarshal(document, &members); err != nil {
		return uuid.Nil, nil, fmt.Errorf("decode document: %w", err)
	}
	body, err = plainjson.Marshal(members)
	return members.ID, body, err
}
