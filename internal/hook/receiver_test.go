package hook

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

// message is a POST that a receiver got, and what it answered.
type message struct {
	header http.Header
	body   []byte
	at     time.Time
	status int
}

func (m message) id() string { return m.header.Get("Webhook-Id") }

func (m message) revision() int {
	n, _ := strconv.Atoi(m.header.Get("Itemcast-Revision"))
	return n
}

// receiver is an endpoint that keeps what it gets.
type receiver struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	messages []message
	more     chan struct{} // closed, and replaced, with every message
}

// receiver answers as answer says, or 204; answer may block, write headers, and answer itself, which it says by zero.
func (b *bundle) receiver(answer func(http.ResponseWriter, message) int) *receiver {
	b.t.Helper()
	r := &receiver{t: b.t, more: make(chan struct{})}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		m := message{header: request.Header, body: body, at: time.Now(), status: http.StatusNoContent}
		if answer != nil {
			m.status = answer(w, m)
		}
		r.mu.Lock()
		r.messages = append(r.messages, m)
		close(r.more)
		r.more = make(chan struct{})
		r.mu.Unlock()
		if m.status > 0 {
			w.WriteHeader(m.status)
		}
	}))
	b.t.Cleanup(r.Close)
	return r
}

// await returns the messages once holds says that they are enough.
func (r *receiver) await(holds func([]message) bool) []message {
	r.t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		messages, more := r.messages, r.more
		r.mu.Unlock()
		if holds(messages) {
			return messages
		}
		select {
		case <-more:
		case <-deadline:
			r.t.Fatalf("there are %d messages, and more do not come", len(messages))
		}
	}
}

func (r *receiver) awaitCount(n int) []message {
	r.t.Helper()
	return r.await(func(messages []message) bool { return len(messages) >= n })
}
