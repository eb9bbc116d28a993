package receiving

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"itemcast/internal/standardwebhooks"
)

// The headers of Itemcast. (What is signed is the message of Standard Webhooks; these come beside it.)
const (
	headerEvent      = "Itemcast-Event"
	headerTrigger    = "Itemcast-Trigger"
	headerRevision   = "Itemcast-Revision"
	headerCursor     = "Itemcast-Cursor"
	headerOccurredAt = "Itemcast-Occurred-At"
)

// Replays and tests are not of the present: their revisions tell nothing about order.
var timeless = map[string]bool{"replay": true, "test": true}

// Delivery is one request, and what was made of it. What the sender did not tell is empty.
type Delivery struct {
	At     time.Time
	Target string // path and query
	Header http.Header
	Body   []byte

	ID, Event, Trigger, Cursor string
	Item                       string
	Revision                   int64
	Latency                    *time.Duration // since the change occurred, by the clocks of both machines

	Checked bool  // there was a secret to verify it by
	Fault   error // why it is not verified although it was checked

	Attempt    int   // of this webhook-id, the first is 1; 0: refused, and so not counted
	Accepted   bool  // an earlier attempt was accepted
	OutOfOrder int64 // the higher revision of the item that was accepted before; 0: none

	Answer Answer
}

// Verified reports whether the sender knows the secret.
func (d *Delivery) Verified() bool { return d.Checked && d.Fault == nil }

// Repeated reports whether the same webhook-id came before.
func (d *Delivery) Repeated() bool { return d.Attempt > 1 }

func read(r *http.Request, body []byte, now time.Time) *Delivery {
	h := r.Header
	d := &Delivery{At: now, Target: r.URL.RequestURI(), Header: h, Body: body,
		ID: h.Get(standardwebhooks.HeaderID), Event: h.Get(headerEvent), Trigger: h.Get(headerTrigger), Cursor: h.Get(headerCursor)}
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
