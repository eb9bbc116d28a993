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
	retry             // failed, and comes due again after wait
	failed            // finally
	gone              // 410: failed, and the hook gets no more
	returned          // not attempted to the end: comes due again at once, and does not count
)

// outcome is what came of one attempt.
type outcome struct {
	sending.Result
	hook     uuid.UUID
	position int64
	claim    uuid.UUID
	verdict  verdict
	wait     time.Duration
	trigger  string
	at       time.Time
	host     string // of the endpoint; not the whole URL, which may hold a secret
	limited  bool   // by settings of the hook's: others may be waiting for this one's place
}

// faultNotKept is of a delivery whose change the log no longer keeps, beside the faults of package sending.
const faultNotKept = "not_kept"

// post makes one attempt. ctx ends when the node stops, or may be taken for dead.
func (d *Dispatcher) post(ctx context.Context, c claimed) outcome {
	o := outcome{hook: c.HookID, position: c.Position, claim: c.claim, at: time.Now(), limited: c.RateLimit != nil || c.MaxInFlight != nil}
	// A node that was frozen may come to this late. It must not send what somebody else may have sent meanwhile.
	left := time.Until(c.expires.Add(-d.config.Slack))
	if left <= 0 || ctx.Err() != nil {
		o.verdict = returned
		return o
	}
	o.trigger = triggerOf(c)
	if c.change == nil {
		o.verdict, o.Fault, o.Detail = failed, faultNotKept, "The change log no longer keeps the document."
		return o
	}
	message, err := d.message(c)
	if err != nil {
		o.verdict, o.Fault, o.Detail = failed, sending.Unsendable, "The request could not be made: "+err.Error()
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
	to, err := hook.NewMessage(c.Url, c.Secret, c.OldSecret, c.Headers)
	if err != nil {
		return sending.Message{}, err
	}
	to.ID, to.Event, to.Trigger, to.Revision = c.ID, hook.EventOf(c.change.Kind), triggerOf(c), c.change.Revision
	to.Cursor, to.OccurredAt, to.Body = d.feed.Cursor(c.change.Position), c.change.OccurredAt, body
	return to, nil
}

// triggerOf is why a delivery is made: what it was asked for with, or the change's own reason.
func triggerOf(c claimed) string {
	switch {
	case c.Trigger != nil:
		return *c.Trigger
	case c.change != nil:
		return c.change.Trigger
	}
	return change.TriggerWrite
}
