package idempotency

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
)

// response is a ResponseWriter that buffers, because the client may only see a response that has been committed.
type response struct {
	header   http.Header
	status   int // 0 until the handler sets it
	body     bytes.Buffer
	replayed bool
}

func newResponse() *response { return &response{header: http.Header{}} }

// storedResponse is the plain text of a stored response.
type storedResponse struct {
	Status int
	Header http.Header
	Body   []byte
}

// open decrypts a stored response.
func open(sealed []byte, s secrets) (*response, error) {
	plain, err := s.open(sealed)
	if err != nil {
		return nil, fmt.Errorf("decrypt the stored response: %w", err)
	}
	var stored storedResponse
	if err := json.Unmarshal(plain, &stored); err != nil {
		return nil, fmt.Errorf("decode the stored response: %w", err)
	}
	r := &response{header: stored.Header, status: stored.Status, replayed: true}
	r.body.Write(stored.Body)
	return r, nil
}

// seal encrypts the response for storage.
func (r *response) seal(s secrets) ([]byte, error) {
	plain, err := json.Marshal(storedResponse{Status: r.status, Header: r.header, Body: r.body.Bytes()})
	if err != nil {
		return nil, fmt.Errorf("encode the response: %w", err)
	}
	return s.seal(plain)
}

func (r *response) Header() http.Header { return r.header }

func (r *response) WriteHeader(status int) {
	if r.status == 0 && status >= 200 { // 1xx is not the final status
		r.status = status
	}
}

func (r *response) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *response) succeeded() bool {
	r.WriteHeader(http.StatusOK) // net/http does this for a handler that writes nothing
	return r.status < 300
}

func (r *response) writeTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	if r.replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(r.status)
	if r.body.Len() > 0 {
		_, _ = w.Write(r.body.Bytes())
	}
}
