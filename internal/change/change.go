package change

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
)

// Position is a place in the log: 1, 2, 3 … Zero is before the first change.
type Position int64

// Kind says what happened to an item.
type Kind string

// The kinds. A Triggered change alters nothing: it makes hooks receive the item as it is.
const (
	Created   Kind = "CREATED"
	Updated   Kind = "UPDATED"
	Deleted   Kind = "DELETED"
	Triggered Kind = "TRIGGERED"
)

// The values of Change.Trigger: why hooks receive the change. Receivers read it in the header itemcast-trigger.
const (
	TriggerWrite    = "hook"     // an ordinary write; hooks receive it because they follow such changes
	TriggerManual   = "manual"   // a user requested it
	TriggerWorkflow = "workflow" // a workflow's task
	TriggerReminder = "reminder" // a workflow waits for a person
)

// Task says which task of a workflow a Triggered change is for. It is stored with the change as JSON.
type Task struct {
	RunID     uuid.UUID `json:"run_id"`
	ProfileID uuid.UUID `json:"profile_id"`
	Task      string    `json:"task"`   // its key in the profile
	At        string    `json:"at"`     // the moment of the workflow, such as before_action
	Action    *string   `json:"action"` // the key of the action; nil: the task is not about one
}

// Change is one entry of the log. It is shared between readers and must not be modified.
type Change struct {
	Position      Position // zero until the sequencer assigns one
	ID            int64
	AccountID     uuid.UUID
	ItemID        uuid.UUID
	Revision      int64
	Kind          Kind
	ChangedFields []string
	Previous      json.RawMessage // an object: the previous values of ChangedFields and updated_at
	Actor         *uuid.UUID      // the user; nil: the system
	Trigger       string          // one of the values above
	Targets       []uuid.UUID     // the hooks that a Triggered change is for; nil: every hook that matches it
	Task          *Task           // of a Triggered change of a workflow; nil: of any other
	Document      []byte          // the item after the change; of a Deleted item the last document
	OccurredAt    time.Time
}

// Record appends a change to the log as part of tx. The transaction must hold the lock of the item's row already,
// because the log's order depends on it (see the package comment). The statement is deferred: its error may be returned
// by a later statement or by the commit. The caller wakes the sequencer after the commit.
func Record(ctx context.Context, tx pgx.Tx, c Change) error {
	if c.ChangedFields == nil {
		c.ChangedFields = []string{}
	}
	if c.Previous == nil {
		c.Previous = json.RawMessage("{}")
	}
	task, err := c.Task.encode()
	if err != nil {
		return err
	}
	err = store.New(db.Deferred(tx)).InsertChange(ctx, store.InsertChangeParams{
		AccountID:     c.AccountID,
		ItemID:        c.ItemID,
		Revision:      c.Revision,
		Kind:          string(c.Kind),
		ChangedFields: c.ChangedFields,
		Previous:      c.Previous,
		Actor:         c.Actor,
		Trigger:       c.Trigger,
		Targets:       c.Targets,
		Task:          task,
		Document:      c.Document,
		OccurredAt:    c.OccurredAt,
	})
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	return nil
}

// encode returns the task as it is stored; nil for nil.
func (t *Task) encode() ([]byte, error) {
	if t == nil {
		return nil, nil
	}
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode task: %w", err)
	}
	return raw, nil
}

// DecodeTask returns a stored task; nil for NULL, and for what Record has not written: one such row must not stop every
// reader of the log.
func DecodeTask(raw []byte) *Task {
	if raw == nil {
		return nil
	}
	var t Task
	if json.Unmarshal(raw, &t) != nil {
		return nil
	}
	return &t
}
