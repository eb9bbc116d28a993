// Command go is a receiver of hooks in Go's standard library. It verifies, deduplicates, and prints each delivery as a
// line of JSON.
//
//	go run ./examples/receivers/go whsec_… [PORT]       # PORT: 9000
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	tolerance = 5 * time.Minute
	maxBody   = 4 << 20 // bytes; a document has at most about 1 MiB
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: go run ./examples/receivers/go whsec_… [PORT] (the secret of the hook)")

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	port := "9000"
	if len(args) > 1 {
		port = args[1]
	}
	encoded, isSecret := strings.CutPrefix(args[0], "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !isSecret || len(key) == 0 {
		return errUsage
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return fmt.Errorf("port %s cannot be used: %w", port, err)
	}
	r := &receiver{key: key, now: time.Now, out: out, handled: map[string]bool{}}
	r.print(map[string]any{"listening": listener.Addr().(*net.TCPAddr).Port})
	return (&http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}).Serve(listener)
}

// receiver handles the requests of one hook.
type receiver struct {
	key []byte
	now func() time.Time

	mu      sync.Mutex
	out     io.Writer
	handled map[string]bool // in a real receiver: a table, written in the transaction that does the work
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody)) // the bytes that were signed
	if err != nil {
		http.Error(w, "cannot read the body", http.StatusBadRequest)
		return
	}
	if err := r.verify(request.Header, body); err != nil {
		r.print(map[string]any{"refused": err.Error()})
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := request.Header.Get("Webhook-Id")
	if r.isRepeated(id) {
		r.print(map[string]any{"repeated": id})
		w.WriteHeader(http.StatusNoContent)
		return
	}
	var item struct {
		Revision int64 `json:"revision"`
	}
	if err := json.Unmarshal(body, &item); err != nil {
		http.Error(w, "the body is not JSON", http.StatusBadRequest)
		return
	}
	line := map[string]any{
		"event": request.Header.Get("Itemcast-Event"), "id": id, "revision": item.Revision, "item": json.RawMessage(body),
	}
	if task := request.Header.Get("Itemcast-Task"); task != "" { // only of a workflow's task
		line["task"] = task
	}
	r.print(line)
	w.WriteHeader(http.StatusNoContent) // within 15 seconds; do long work after the response
}

// verify returns an error unless a request was signed with the key, within five minutes of now.
func (r *receiver) verify(header http.Header, body []byte) error {
	id, timestamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errors.New("Missing required headers")
	}
	switch age := r.now().Sub(time.Unix(seconds, 0)); {
	case age > tolerance:
		return errors.New("Message timestamp too old")
	case age < -tolerance:
		return errors.New("Message timestamp too new")
	}
	mac := hmac.New(sha256.New, r.key)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	for signature := range strings.FieldsSeq(header.Get("Webhook-Signature")) {
		encoded, isV1 := strings.CutPrefix(signature, "v1,")
		sent, err := base64.StdEncoding.DecodeString(encoded)
		if isV1 && err == nil && hmac.Equal(sent, mac.Sum(nil)) {
			return nil
		}
	}
	return errors.New("No matching signature found")
}

// isRepeated reports whether a delivery was handled before, and records it.
func (r *receiver) isRepeated(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	repeated := r.handled[id]
	r.handled[id] = true
	return repeated
}

func (r *receiver) print(line map[string]any) {
	text, err := json.Marshal(line)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.out, "%s\n", text)
}
