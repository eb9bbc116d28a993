package idempotency

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	"itemcast/internal/db/dbsqlc"
)

// answer is a response that is held back until it is known to last.
type answer struct {
	header   http.Header
	status   int // 0 until the handler says
	body     bytes.Buffer
	replayed bool
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

// keptAnswer is the answer that was kept in a key's row.
func keptAnswer(row dbsqlc.IdempotentResponseRow) (*answer, error) {
	a := &answer{status: int(row.Status), replayed: true}
	if err := json.Unmarshal(row.Header, &a.header); err != nil {
		return nil, fmt.Errorf("read an idempotent response: %w", err)
	}
	a.body.Write(row.Body)
	return a, nil
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

func (a *answer) params(k key) (dbsqlc.KeepIdempotentResponseParams, error) {
	header, err := json.Marshal(a.header)
	if err != nil {
		return dbsqlc.KeepIdempotentResponseParams{}, fmt.Errorf("encode an idempotent response: %w", err)
	}
	body := a.body.Bytes()
	if body == nil {
		body = []byte{} // the column takes no NULL
	}
	return dbsqlc.KeepIdempotentResponseParams{
		Status: int32(a.status), Header: header, Body: body, AccountID: k.account, UserID: k.user, Key: k.name,
	}, nil
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

// fingerprint tells requests apart: SHA-256 over method, path, query and body, each with its length before it.
func fingerprint(r *http.Request, body []byte) []byte {
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(r.Method), []byte(r.URL.EscapedPath()), []byte(r.URL.RawQuery), body} {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	return hash.Sum(nil)
}
