package idempotency

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
)

// answer is a response that is held back until it is known to last.
type answer struct {
	header   http.Header
	status   int // 0 until the handler says
	body     bytes.Buffer
	replayed bool
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

// keptAnswer is an answer as a key's row keeps it, before it is sealed.
type keptAnswer struct {
	Status int
	Header http.Header
	Body   []byte
}

// open is the answer that was kept.
func open(sealed []byte, s secrets) (*answer, error) {
	plain, err := s.open(sealed)
	if err != nil {
		return nil, fmt.Errorf("open an idempotent answer: %w", err)
	}
	var kept keptAnswer
	if err := json.Unmarshal(plain, &kept); err != nil {
		return nil, fmt.Errorf("read an idempotent answer: %w", err)
	}
	a := &answer{header: kept.Header, status: kept.Status, replayed: true}
	a.body.Write(kept.Body)
	return a, nil
}

// seal is the answer to be kept.
func (a *answer) seal(s secrets) ([]byte, error) {
	plain, err := json.Marshal(keptAnswer{Status: a.status, Header: a.header, Body: a.body.Bytes()})
	if err != nil {
		return nil, fmt.Errorf("encode an idempotent answer: %w", err)
	}
	return s.seal(plain)
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 { // what comes before is information on the way
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *answer) succeeded() bool {
	a.WriteHeader(http.StatusOK) // as net/http does for a handler that says nothing
	return a.status < 300
}

func (a *answer) writeTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	if a.replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(a.status)
	if a.body.Len() > 0 {
		_, _ = w.Write(a.body.Bytes())
	}
}
