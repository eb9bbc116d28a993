package sending

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/standardwebhooks"
)

// Values that are the same in all requests. net/http reads headers and does not change them.
var (
	contentType = []string{"application/json"}
	none        = []string{}
)

// ours is the most headers that are ours.
const ours = 12

// header is the header of a message's request, as of now.
func (s *Sender) header(m Message) (http.Header, error) {
	id, now := m.ID.String(), s.config.Now()
	signed, err := signature(m.Secrets, id, now, m.Body)
	if err != nil {
		return nil, err
	}
	h := make(http.Header, ours+len(m.Headers))
	for name, value := range m.Headers {
		if !reserved(name) {
			h.Set(name, value)
		}
	}
	values := make([]string, 0, ours) // one allocation for all
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
		set("Itemcast-Occurred-At", m.OccurredAt.UTC().Format(time.RFC3339Nano))
	}
	set("Traceparent", traceparent(m.ID))
	// Not sent, but tells net/http that it may send again on a new connection when the endpoint has just closed an idle one:
	// the receiver knows a repetition by its webhook-id.
	h["Idempotency-Key"] = none
	return h, nil
}

// traceparent (W3C Trace Context) is one trace for all attempts of a delivery, each a span of its own.
func traceparent(delivery uuid.UUID) string {
	span := rand.Uint64() | 1 // an id of zeros is invalid
	text := make([]byte, 0, 55)
	text = append(text, "00-"...)
	text = hex.AppendEncode(text, delivery[:])
	text = append(text, '-')
	text = hex.AppendEncode(text, []byte{
		byte(span >> 56), byte(span >> 48), byte(span >> 40), byte(span >> 32), byte(span >> 24), byte(span >> 16), byte(span >> 8), byte(span),
	})
	return string(append(text, "-01"...))
}
