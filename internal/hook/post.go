package hook

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
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

// outcome is the result of one attempt.
type outcome struct {
	id, hook, item, claim uuid.UUID
	verdict               verdict
	wait                  time.Duration
	status                int    // zero: no answer
	fault                 string // shown to the hook's owner
	host                  string // of a failure; not the whole URL, which may hold a secret
}

const (
	maxAnswer = 64 << 10 // bytes of an answer that are read, so that its connection can be used again
	maxFault  = 500      // bytes
)

// post makes one attempt. ctx ends when the node stops.
func (d *Dispatcher) post(ctx context.Context, c claimed) outcome {
	o := outcome{id: c.ID, hook: c.HookID, item: c.ItemID, claim: c.claim}
	// A node that was frozen may come to this late. It must not send what somebody else may have sent meanwhile.
	left := time.Until(c.expires.Add(-d.config.Slack))
	if left <= 0 || ctx.Err() != nil {
		o.verdict = returned
		return o
	}
	if c.change == nil {
		o.verdict, o.fault = failed, "the change log no longer keeps the document"
		return o
	}
	timed, cancel := context.WithTimeout(ctx, min(left, d.config.Timeout))
	defer cancel()
	status, retryAfter, err := d.send(timed, c)
	switch {
	case err == nil && status >= 200 && status <= 299:
		o.status = status
		return o
	case err != nil && ctx.Err() != nil: // cut off by our own stop
		o.verdict = returned
		return o
	case err != nil && errors.Is(timed.Err(), context.DeadlineExceeded):
		o.fault = fmt.Sprintf("no complete answer within %s", d.config.Timeout)
	case err != nil:
		o.fault = faultOf(err)
	default:
		o.status = status
		o.fault = "the answer was " + strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
		if status >= 300 && status <= 399 {
			o.fault += "; redirects are not followed"
		}
	}
	if u, err := url.Parse(c.Url); err == nil {
		o.host = u.Host
	}
	if o.status == http.StatusGone {
		o.verdict = gone
		return o
	}
	var more bool
	if o.wait, more = d.config.wait(int(c.Attempts), retryAfter); more {
		o.verdict = retry
	} else {
		o.verdict = failed
	}
	return o
}

// send posts the document and reads the answer.
func (d *Dispatcher) send(ctx context.Context, c claimed) (status int, retryAfter time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Url, bytes.NewReader(c.change.Document))
	if err != nil {
		return 0, 0, fmt.Errorf("make a request: %w", err)
	}
	if err := d.setHeaders(request.Header, c); err != nil {
		return 0, 0, err
	}
	response, err := d.client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusSwitchingProtocols { // the body is the connection, which no deadline of ours ends
		return response.StatusCode, 0, nil
	}
	if _, err := io.CopyN(io.Discard, response.Body, maxAnswer); err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, fmt.Errorf("read the answer: %w", err)
	}
	return response.StatusCode, parseRetryAfter(response.Header.Get("Retry-After"), d.config.Now()), nil
}

func (d *Dispatcher) setHeaders(h http.Header, c claimed) error {
	id, now := c.ID.String(), d.config.Now()
	signature, err := sign(c.Secret, id, now, c.change.Document)
	if err != nil {
		return err
	}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Itemcast/"+d.config.Version)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	h.Set("Webhook-Signature", signature)
	h.Set("Itemcast-Event", events[c.change.Kind])
	h.Set("Itemcast-Trigger", c.change.Trigger)
	h.Set("Itemcast-Revision", strconv.FormatInt(c.change.Revision, 10))
	h.Set("Itemcast-Cursor", d.feed.Cursor(c.change.Position))
	h.Set("Traceparent", traceparent(c.ID))
	// Not sent, but tells net/http that it may send again on a new connection when the endpoint has just closed an idle one:
	// the receiver knows a repetition by its webhook-id.
	h["Idempotency-Key"] = []string{}
	return nil
}

// traceparent (W3C Trace Context) is one trace for all attempts of a delivery, each a span of its own.
func traceparent(delivery uuid.UUID) string {
	var span [8]byte
	_, _ = rand.Read(span[:]) // never fails
	span[7] |= 1              // an id of zeros is invalid
	return "00-" + hex.EncodeToString(delivery[:]) + "-" + hex.EncodeToString(span[:]) + "-01"
}

// parseRetryAfter reads RFC 9110, section 10.2.3: seconds or a date. Zero when there is none that can be read.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// faultOf tells why there was no answer, without the method and URL that net/http puts before it.
func faultOf(err error) string {
	if refused, ok := errors.AsType[refusal](err); ok {
		return refused.Error()
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	text := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "")
	for len(text) > maxFault {
		_, size := utf8.DecodeLastRuneInString(text[:maxFault+1])
		text = text[:maxFault+1-max(size, 1)]
	}
	return text
}
