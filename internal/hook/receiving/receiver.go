// Package receiving is an endpoint for development (`itemcast listen`): it verifies deliveries, detects repetitions
// and wrong order, reports each delivery, and answers as configured, also with failures. It shows what a receiver
// must expect.
//
// It knows the format of requests, and must not know the code that sends them.
package receiving

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"itemcast/internal/standardwebhooks"
)

const (
	maxBody       = 4 << 20  // bytes
	maxHeaders    = 32 << 10 // bytes
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
)

// Config configures a Receiver. The defaults of Now and Random are time.Now and rand.Float64.
type Config struct {
	Secrets    []standardwebhooks.Secret // none: signatures are not checked
	AcceptAll  bool                      // deliveries with a wrong signature are answered like others
	Answers    Answers                   // the query of a URL overrides them
	OnDelivery func(*Delivery)           // called in order of arrival, one at a time, before the answer is sent
	OnNote     func(string)              // likewise, for requests that are not deliveries

	Now    func() time.Time
	Random func() float64 // in [0, 1)
}

// Summary counts deliveries.
type Summary struct {
	Deliveries, Verified, Wrong, Unchecked int
	Repeated, OutOfOrder, Failed           int
}

// Receiver is an http.Handler. Its methods may be called concurrently.
type Receiver struct {
	config Config

	mu      sync.Mutex
	secrets []standardwebhooks.Secret
	history *history
	summary Summary
	ended   bool
}

// New makes a Receiver.
func New(config Config) *Receiver {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Random == nil {
		config.Random = rand.Float64
	}
	return &Receiver{config: config, secrets: config.Secrets, history: newHistory()}
}

// Server returns a server for the receiver, with timeouts for slow senders.
func (r *Receiver) Server() *http.Server {
	return &http.Server{Handler: r, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaders}
}

// AddSecret adds a secret with which later deliveries are verified.
func (r *Receiver) AddSecret(s standardwebhooks.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets[:len(r.secrets):len(r.secrets)], s)
}

// Note passes a text to Config.OnNote.
func (r *Receiver) Note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.config.OnNote(text)
	}
}

// End returns the summary. After it, no callback is called.
func (r *Receiver) End() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	return r.summary
}

// ServeHTTP receives a delivery.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		r.decline(w, q, http.StatusMethodNotAllowed, "deliveries are POSTed")
		return
	}
	answers, err := r.config.Answers.with(q.URL.Query())
	if err != nil {
		r.decline(w, q, http.StatusBadRequest, err.Error())
		return
	}
	// The deadline is for the body only: during a delay it would end the context of the request.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		r.decline(w, q, http.StatusRequestEntityTooLarge, "the body has more than "+strconv.Itoa(maxBody)+" bytes")
		return
	}
	if err != nil {
		r.decline(w, q, http.StatusBadRequest, "the body is incomplete")
		return
	}
	_ = control.SetReadDeadline(time.Time{})
	answer(w, q, r.receive(q, body, answers))
}

// receive examines a delivery, reports it, and returns how to answer it.
func (r *Receiver) receive(q *http.Request, body []byte, answers Answers) Answer {
	d := read(q, body, r.config.Now())
	r.mu.Lock()
	secrets := r.secrets
	r.mu.Unlock()
	secret := 0
	if d.Checked = len(secrets) > 0; d.Checked {
		secret, d.Fault = standardwebhooks.Verify(q.Header, body, d.At, secrets...)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	if d.Fault != nil && !r.config.AcceptAll { // a forged id must not count as an attempt of the real delivery
		d.Answer = Answer{Status: http.StatusUnauthorized, text: d.Fault.Error() + "\n"}
	} else {
		r.history.compare(d, secret)
		d.Answer = answers.plan(d.Attempt, r.config.Random)
		r.history.record(d, secret)
	}
	if !r.ended {
		r.summary.count(d)
		r.config.OnDelivery(d)
	}
	return d.Answer
}

func (s *Summary) count(d *Delivery) {
	s.Deliveries++
	switch {
	case !d.Checked:
		s.Unchecked++
	case d.Verified():
		s.Verified++
	default:
		s.Wrong++
	}
	if d.Repeated() {
		s.Repeated++
	}
	if d.OutOfOrder > 0 {
		s.OutOfOrder++
	}
	if !d.Answer.Accepted() {
		s.Failed++
	}
}

// decline answers a request that is not a delivery.
func (r *Receiver) decline(w http.ResponseWriter, q *http.Request, status int, reason string) {
	r.Note(q.Method + " " + q.URL.RequestURI() + " was answered " + strconv.Itoa(status) + ": " + reason)
	http.Error(w, reason, status)
}

func answer(w http.ResponseWriter, q *http.Request, a Answer) {
	switch {
	case a.Silence == Hang:
		<-q.Context().Done() // the sender has closed the connection, or the receiver ends
		panic(http.ErrAbortHandler)
	case !wait(q.Context(), a.Delay):
		panic(http.ErrAbortHandler)
	case a.Silence == Reset:
		reset(w)
		return
	}
	if a.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((a.RetryAfter+time.Second-1)/time.Second)))
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(a.Status)
	if a.Status != http.StatusNoContent && a.Status != http.StatusNotModified {
		_, _ = io.Copy(w, strings.NewReader(a.text))
	}
}

// wait returns true after the duration, and false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// reset closes the connection with RST, as the end of a killed process does.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if lingers, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = lingers.SetLinger(0)
	}
	_ = conn.Close()
}
