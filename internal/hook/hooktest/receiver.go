package hooktest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Message is a POST that a receiver got, and the status of its answer.
type Message struct {
	Header http.Header
	Body   []byte
	At     time.Time
	Status int
}

// ID is the webhook-id.
func (m Message) ID() string { return m.Header.Get("Webhook-Id") }

// Revision is the revision in the header.
func (m Message) Revision() int {
	n, _ := strconv.Atoi(m.Header.Get("Itemcast-Revision"))
	return n
}

// Verify checks that a message is signed by exactly these secrets, with the public library.
func (m Message) Verify(t testing.TB, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(m.Body, m.Header); err != nil {
			t.Errorf("verify: %v", err)
		}
	}
	if signed := len(strings.Fields(m.Header.Get("Webhook-Signature"))); signed != len(secrets) {
		t.Errorf("the message has %d signatures, want %d", signed, len(secrets))
	}
}

// Receiver is an endpoint that records what it receives.
type Receiver struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	messages []Message
	more     chan struct{} // closed, and replaced, with every message
}

// Receiver starts an endpoint that answers with the status that answer returns; with 204 if answer is nil. answer may
// block, and set headers. If it writes the whole answer itself, it returns zero.
func (b *Bundle) Receiver(answer func(http.ResponseWriter, Message) int) *Receiver {
	b.T.Helper()
	r := &Receiver{t: b.T, more: make(chan struct{})}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		m := Message{Header: request.Header, Body: body, At: time.Now(), Status: http.StatusNoContent}
		if answer != nil {
			m.Status = answer(w, m)
		}
		r.mu.Lock()
		r.messages = append(r.messages, m)
		close(r.more)
		r.more = make(chan struct{})
		r.mu.Unlock()
		if m.Status > 0 {
			w.WriteHeader(m.Status)
		}
	}))
	b.T.Cleanup(r.Close)
	return r
}

// Answering starts an endpoint whose status can be changed.
func (b *Bundle) Answering(status int) (r *Receiver, answer *atomic.Int32) {
	b.T.Helper()
	answer = new(atomic.Int32)
	answer.Store(int32(status))
	return b.Receiver(func(http.ResponseWriter, Message) int { return int(answer.Load()) }), answer
}

// Messages returns the messages so far, in order of arrival.
func (r *Receiver) Messages() []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.messages)
}

// Await returns the messages once enough reports that they are enough.
func (r *Receiver) Await(enough func([]Message) bool) []Message {
	r.t.Helper()
	deadline := time.After(Timeout)
	for {
		r.mu.Lock()
		messages, more := r.messages, r.more
		r.mu.Unlock()
		if enough(messages) {
			return messages
		}
		select {
		case <-more:
		case <-deadline:
			r.t.Fatalf("only %d messages within %s", len(messages), Timeout)
		}
	}
}

// AwaitCount returns the messages once there are n of them.
func (r *Receiver) AwaitCount(n int) []Message {
	r.t.Helper()
	return r.Await(func(messages []Message) bool { return len(messages) >= n })
}

// Events returns the events and revisions that have arrived, such as "created1 updated2".
func (r *Receiver) Events() string {
	var events []string
	for _, m := range r.Messages() {
		event := strings.TrimPrefix(m.Header.Get("Itemcast-Event"), "item.")
		events = append(events, event+m.Header.Get("Itemcast-Revision"))
	}
	return strings.Join(events, " ")
}
