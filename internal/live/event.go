package live

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
)

// Kind is the kind of a change, or how the change moved the item in or out of the subscriber's filter.
type Kind string

// The kinds that package change does not have.
const (
	Entered Kind = "ENTERED" // the item began to match
	Left    Kind = "LEFT"    // the item stopped matching
)

// Event is a change as one subscriber sees it.
type Event struct {
	Cursor        string
	ItemID        uuid.UUID
	Kind          Kind
	Revision      int64
	ChangedFields []string
	OccurredAt    time.Time
	Actor         *uuid.UUID
	Trigger       string
	Document      json.RawMessage
}

// Event returns a change as an entry of the item's history.
func (h *Hub) Event(c *change.Change) *Event { return h.newEvent(c, Kind(c.Kind), c.Document) }

func (h *Hub) newEvent(c *change.Change, kind Kind, document []byte) *Event {
	return &Event{
		Cursor: h.feed.Cursor(c.Position), ItemID: c.ItemID, Kind: kind, Revision: c.Revision, ChangedFields: c.ChangedFields,
		OccurredAt: c.OccurredAt, Actor: c.Actor, Trigger: c.Trigger, Document: document,
	}
}
