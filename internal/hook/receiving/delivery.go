package receiving

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"itemcast/internal/standardwebhooks"
)

// The headers of Itemcast. Only those of Standard Webhooks are signed.
const (
	headerEvent      = "Itemcast-Event"
	headerTrigger    = "Itemcast-Trigger"
	headerRevision   = "Itemcast-Revision"
	headerCursor     = "Itemcast-Cursor"
	headerOccurredAt = "Itemcast-Occurred-At"
	headerTask       = "Itemcast-Task"
	headerTaskAt     = "Itemcast-Task-At"
	headerAction     = "Itemcast-Action"
)

// Delivery is one request, and the receiver's findings. Fields for missing headers are empty.
type Delivery struct {
	At     time.Time
	Target string // path and query
	Header http.Header
	Body   []byte

	ID, Event, Trigger, Cursor string
	Task, TaskAt, Action       string // of a workflow's task
	Item                       string
	Revision                   int64
	Latency                    *time.Duration // since the change occurred, by the clocks of both machines

	Checked bool  // the receiver had a secret to verify it with
	Fault   error // why the check failed

	Attempt    int   // of this webhook-id, from 1; 0: it was refused, and is not counted
	Accepted   bool  // an earlier attempt was accepted
	OutOfOrder int64 // a higher revision of the item, accepted before; 0: none, or the delivery itself was accepted before

	Answer Answer
}

// Verified reports whether the signature was checked and is right.
func (d *Delivery) Verified() bool { return d.Checked && d.Fault == nil }

// Repeated reports whether the same webhook-id came before.
func (d *Delivery) Repeated() bool { return d.Attempt > 1 }

func read(r *http.Request, body []byte, now time.Time) *Delivery {
	h := r.Header
	d := &Delivery{At: now, Target: r.URL.RequestURI(), Header: h, Body: body,
		ID: h.Get(standardwebhooks.HeaderID), Event: h.Get(headerEvent), Trigger: h.Get(headerTrigger),
		Cursor: h.Get(headerCursor), Task: h.Get(headerTask), TaskAt: h.Get(headerTaskAt), Action: h.Get(headerAction)}
	var item struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(body, &item) == nil {
		d.Item = item.ID
	}
	d.Revision, _ = strconv.ParseInt(h.Get(headerRevision), 10, 64)
	if occurred, err := time.Parse(time.RFC3339Nano, h.Get(headerOccurredAt)); err == nil {
		d.Latency = new(now.Sub(occurred))
	}
	return d
}
