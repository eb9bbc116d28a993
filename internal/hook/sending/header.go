package sending

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"itemcast/internal/plainjson"
	"itemcast/internal/standardwebhooks"
)

// Values that all requests share. net/http does not change headers.
var (
	contentType = []string{"application/json"}
	none        = []string{}
)

// maxOwnHeaders is the maximum number of headers that Itemcast sets, without those of a task.
const maxOwnHeaders = 12

// header returns the header of a message's request, signed as of now.
func (s *Sender) header(m Message) (http.Header, error) {
	id, now := m.ID.String(), s.config.Now()
	signed, err := signature(m.Secrets, id, now, m.Body)
	if err != nil {
		return nil, err
	}
	h := make(http.Header, maxOwnHeaders+len(m.Headers))
	for name, value := range m.Headers {
		if !reserved(name) {
			h.Set(name, value)
		}
	}
	values := make([]string, 0, maxOwnHeaders) // one allocation for all
	set := func(name, value string) {
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	h["Content-Type"] = contentType
	h["User-Agent"] = s.userAgent
	set(standardwebhooks.HeaderID, id)
	set(standardwebhooks.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	set(standardwebhooks.HeaderSignature, signed)
	set("Itemcast-Event", m.Event)
	set("Itemcast-Trigger", m.Trigger)
	set("Itemcast-Revision", strconv.FormatInt(m.Revision, 10))
	if m.Cursor != "" {
		set("Itemcast-Cursor", m.Cursor)
	}
	if !m.OccurredAt.IsZero() {
		set("Itemcast-Occurred-At", m.OccurredAt.UTC().Format(plainjson.TimeFormat))
	}
	set("Traceparent", traceparent(m.ID))
	if m.Task != "" {
		setTask(h, m)
	}
	// An empty Idempotency-Key is not sent. It allows net/http to repeat the request on a new connection when the
	// endpoint has just closed an idle one: receivers recognize repetitions by the webhook-id.
	h["Idempotency-Key"] = none
	return h, nil
}

// setTask sets the headers of a workflow's task.
func setTask(h http.Header, m Message) {
	h["Itemcast-Task"], h["Itemcast-Task-At"] = []string{m.Task}, []string{m.TaskAt}
	if m.TaskAction != "" {
		h["Itemcast-Action"] = []string{m.TaskAction}
	}
}

// traceparent (W3C Trace Context) names one trace for all attempts of a delivery. Each attempt is a span.
func traceparent(delivery uuid.UUID) string {
	var span [8]byte
	binary.BigEndian.PutUint64(span[:], rand.Uint64()|1) // an id of zeros is invalid
	text := make([]byte, 0, 55)
	text = append(text, "00-"...)
	text = hex.AppendEncode(text, delivery[:])
	text = append(text, '-')
	text = hex.AppendEncode(text, span[:])
	return string(append(text, "-01"...))
}
