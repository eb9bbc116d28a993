package dispatch

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/sending"
)

// verdict is what an attempt means for its delivery.
type verdict int

const (
	succeeded verdict = iota
	retry             // failed; due again after wait
	failed            // for good
	gone              // 410: failed, and the hook becomes inactive unless it is hidden
	returned          // not attempted, or interrupted; due again at once, and not counted
)

// outcomeOf names the verdicts as SQL statements do. A delivery that is returned stays in the queue as it was.
var outcomeOf = map[verdict]string{
	succeeded: "succeeded",
	retry:     "retry",
	failed:    "failed",
	gone:      "failed",
	returned:  "returned",
}

// outcome is the result of one attempt.
type outcome struct {
	sending.Result
	hook     uuid.UUID
	position int64
	claim    uuid.UUID
	verdict  verdict
	wait     time.Duration
	trigger  string
	at       time.Time
	host     string // of the endpoint; the whole URL may hold a secret
	limited  bool   // the hook has limits, so another delivery may wait for this one to end
	task     *change.Task
}

// faultGone is the fault of a delivery whose change has left the log. The other faults are those of package sending.
const faultGone = "not_kept"

// post makes one attempt. ctx ends when the node stops, or when other nodes may take it for dead.
func (d *Dispatcher) post(ctx context.Context, c claimed) outcome {
	o := outcome{
		hook: c.HookID, position: c.Position, claim: c.claim, at: time.Now(),
		limited: c.RateLimit != nil || c.MaxInFlight != nil,
	}
	// After a pause of the whole process, another node may have sent the delivery.
	left := time.Until(c.expires.Add(-d.config.Slack))
	if left <= 0 || ctx.Err() != nil {
		o.verdict = returned
		return o
	}
	o.trigger = triggerOf(c)
	if c.change == nil {
		o.verdict, o.Fault, o.Detail = failed, faultGone, "The change has left the log, and its document with it"
		return o
	}
	o.task = c.change.Task
	message, err := d.message(c)
	if err != nil {
		o.verdict, o.Fault, o.Detail = failed, sending.Unsendable, "The message cannot be sent: "+err.Error()
		return o
	}
	timed, cancel := context.WithTimeout(ctx, min(left, d.config.Timeout))
	defer cancel()
	o.Result = d.sender.Send(timed, message)
	switch o.Fault {
	case "":
		o.verdict = succeeded
		return o
	case sending.Interrupted:
		o.verdict = returned
		return o
	}
	if u, err := url.Parse(c.Url); err == nil {
		o.host = u.Host
	}
	if o.Status == http.StatusGone {
		o.verdict = gone
		return o
	}
	var more bool
	if o.wait, more = d.config.wait(int(c.Attempts-c.Round), o.RetryAfter); more {
		o.verdict = retry
	} else {
		o.verdict = failed
	}
	return o
}

func (d *Dispatcher) message(c claimed) (sending.Message, error) {
	body := c.change.Document
	if c.Thin {
		var err error
		if _, body, err = hook.Thin(body); err != nil {
			return sending.Message{}, err
		}
	}
	m, err := hook.NewMessage(c.Url, c.Secret, c.OldSecret, c.Headers, c.change.Task)
	if err != nil {
		return sending.Message{}, err
	}
	m.ID, m.Event, m.Trigger, m.Revision = c.ID, hook.EventOf(c.change.Kind), triggerOf(c), c.change.Revision
	m.Cursor, m.OccurredAt, m.Body = d.feed.Cursor(c.change.Position), c.change.OccurredAt, body
	return m, nil
}

// triggerOf returns the trigger of a delivery: that of the redelivery or replay, or else that of the change.
func triggerOf(c claimed) string {
	switch {
	case c.Trigger != nil:
		return *c.Trigger
	case c.change != nil:
		return c.change.Trigger
	}
	return change.TriggerWrite
}
