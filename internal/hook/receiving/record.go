package receiving

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"itemcast/internal/plainjson"
)

// record is the JSON form of a delivery.
type record struct {
	At         time.Time       `json:"at"`
	Target     string          `json:"target"`
	ID         string          `json:"id"`
	Event      string          `json:"event"`
	Trigger    string          `json:"trigger"`
	Task       string          `json:"task,omitempty"`
	TaskAt     string          `json:"task_at,omitempty"`
	Action     string          `json:"action,omitempty"`
	Item       string          `json:"item"`
	Revision   int64           `json:"revision"`
	Cursor     string          `json:"cursor"`
	LatencyMS  *float64        `json:"latency_ms"`
	Verified   *bool           `json:"verified"` // null: not checked
	Fault      string          `json:"fault,omitempty"`
	Attempt    int             `json:"attempt"`
	Repeated   bool            `json:"repeated"`
	OutOfOrder bool            `json:"out_of_order"`
	Answered   *int            `json:"answered"` // null: no answer
	Silence    Silence         `json:"silence,omitempty"`
	Header     http.Header     `json:"headers,omitempty"`
	Body       json.RawMessage `json:"body"`
}

// Recorder writes deliveries for programs, one line of JSON each.
type Recorder struct {
	Out      io.Writer
	Headers  bool
	Terminal bool // escape control characters, which a terminal would obey
}

// Print writes a delivery. A JSON body is written as JSON, byte for byte if it is compact. Any other body is written as
// a string.
func (p Recorder) Print(d *Delivery) {
	r := record{
		At: d.At.UTC(), Target: d.Target, ID: d.ID, Event: d.Event, Trigger: d.Trigger, Item: d.Item,
		Revision: d.Revision, Cursor: d.Cursor, Attempt: d.Attempt, Repeated: d.Repeated(),
		Task: d.Task, TaskAt: d.TaskAt, Action: d.Action,
		OutOfOrder: d.OutOfOrder > 0, Silence: d.Answer.Silence, Body: d.Body,
	}
	if d.Latency != nil {
		r.LatencyMS = new(float64(d.Latency.Microseconds()) / 1000)
	}
	if d.Checked {
		r.Verified = new(d.Verified())
	}
	if d.Fault != nil {
		r.Fault = d.Fault.Error()
	}
	if d.Answer.Status != 0 {
		r.Answered = new(d.Answer.Status)
	}
	if p.Headers {
		r.Header = d.Header
	}
	if !json.Valid(d.Body) {
		r.Body, _ = plainjson.Marshal(string(d.Body)) // a string is always JSON
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(r) // cannot fail: to memory, of encodable types
	line := b.Bytes()
	if p.Terminal {
		line = []byte(escape(b.String(), "\n"))
	}
	_, _ = p.Out.Write(line)
}
