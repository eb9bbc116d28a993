// Package receiving is an endpoint for development: it takes deliveries, verifies them, sees repetitions and what comes out of order, tells
// of each, and answers as it is asked to, with failures too. It shows what a receiver of one's own has to reckon with.
//
// It knows what is on the wire, and nothing of the side that sends.
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
	maxBody        = 4 << 20 // bytes
	maxHeaders     = 32 << 10
	headerPatience = 10 * time.Second
	bodyPatience   = 30 * time.Second
	idlePatience   = 2 * time.Minute
)

// Config says what a receiver does. Zero values of Now and Random are the real ones.
type Config struct {
	Secrets   []standardwebhooks.Secret // none: nothing is checked
	AcceptAll bool                      // deliveries with a wrong signature are answered as if it were right
	Answers   Answers                   // a URL's query goes before
	Tell      func(*Delivery)           // called in order of arrival, one at a time, before the answer is sent
	Note      func(string)              // likewise, of what is no delivery

	Now    func() time.Time
	Random func() float64 // in [0, 1)
}

// Summary counts what came.
type Summary struct {
	Deliveries, Verified, Wrong, Unchecked int
	Repeated, OutOfOrder, Failed           int
}

// Receiver is an http.Handler.
type Receiver struct {
	config Config

	mu      sync.Mutex
	secrets []standardwebhooks.Secret
	history *history
	summary Summary
	ended   bool
}

// New makes a receiver that nobody has sent anything yet.
func New(config Config) *Receiver {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Random == nil {
		config.Random = rand.Float64
	}
	return &Receiver{config: config, secrets: config.Secrets, history: newHistory()}
}

// Server serves the receiver; it gives slow senders a limited time.
func (r *Receiver) Server() *http.Server {
	return &http.Server{Handler: r, ReadHeaderTimeout: headerPatience, IdleTimeout: idlePatience, MaxHeaderBytes: maxHeaders}
}

// AddSecret is one more secret by which what comes from now on is verified.
func (r *Receiver) AddSecret(s standardwebhooks.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets[:len(r.secrets):len(r.secrets)], s)
}

// Note tells people something amid the deliveries.
func (r *Receiver) Note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.config.Note(text)
	}
}

// End returns the summary. Nothing is told after it.
func (r *Receiver) End() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	return r.summary
}

// ServeHTTP takes a delivery.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		r.decline(w, q, http.StatusMethodNotAllowed, "deliveries come by POST")
		return
	}
	answers, err := r.config.Answers.with(q.URL.Query())
	if err != nil {
		r.decline(w, q, http.StatusBadRequest, err.Error())
		return
	}
	// The deadline is for the body only: when it is reached later, it ends the request's context amid a delay.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyPatience))
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		r.decline(w, q, http.StatusRequestEntityTooLarge, "the body has more than "+strconv.Itoa(maxBody)+" bytes")
		return
	}
	if err != nil {
		r.decline(w, q, http.StatusBadRequest, "the body did not come to its end")
		return
	}
	_ = control.SetReadDeadline(time.Time{})
	answer(w, q, r.take(q, body, answers))
}

// take judges a delivery, tells of it, and says how it is to be answered.
func (r *Receiver) take(q *http.Request, body []byte, answers Answers) Answer {
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
	if d.Fault != nil && !r.config.AcceptAll { // whoever forges an id must not take the attempts of the one who has it
		d.Answer = Answer{Status: http.StatusUnauthorized, text: d.Fault.Error() + "\n"}
	} else {
		r.history.place(d, secret)
		d.Answer = answers.plan(d.Attempt, r.config.Random)
		r.history.record(d, secret)
	}
	if !r.ended {
		r.summary.count(d)
		r.config.Tell(d)
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

// decline answers what is no delivery.
func (r *Receiver) decline(w http.ResponseWriter, q *http.Request, status int, why string) {
	r.Note(q.Method + " " + q.URL.RequestURI() + " is answered " + strconv.Itoa(status) + ": " + why)
	http.Error(w, why, status)
}

func answer(w http.ResponseWriter, q *http.Request, a Answer) {
	switch {
	case a.Silence == Hang:
		<-q.Context().Done() // the sender has given up, or we end
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

// wait reports whether the time has passed before ctx ended.
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

// reset closes the connection as a process that is killed does: with RST, and without a word.
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
