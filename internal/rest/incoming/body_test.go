package incoming_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"itemcast/internal/rest/incoming"
)

// connection sends requests to a handler over one connection.
type connection struct {
	t *testing.T
	net.Conn
	answers *bufio.Reader
}

func connect(t *testing.T, handler http.HandlerFunc) *connection {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &connection{t, conn, bufio.NewReader(conn)}
}

// send sends a POST, and returns the answer.
func (c *connection) send(length int, body string) (status int, closes bool) {
	c.t.Helper()
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", length, body)
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, answer.Close
}

// answer works for a while, and then says whether the request's client seems to be there.
func answer(w http.ResponseWriter, r *http.Request, b *incoming.Body) {
	select {
	case <-r.Context().Done():
	case <-time.After(100 * time.Millisecond):
	}
	b.Answer()
	if r.Context().Err() != nil {
		w.WriteHeader(http.StatusGone)
	}
}

// While the handler works, net/http reads from the connection to notice when the client goes. A deadline would end that
// read, and then every later request of the connection would seem to have no client.
func TestBody_AStopThatComesLateLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	c := connect(t, func(w http.ResponseWriter, r *http.Request) {
		b := incoming.New(w, r)
		b.Waits = true
		if _, err := io.Copy(io.Discard, b); err != nil {
			t.Error(err)
		}
		b.End()
		answer(w, r, b)
	})
	for n := range 3 {
		if status, closes := c.send(4, "body"); status != http.StatusOK || closes {
			t.Fatalf("request %d: got %d, the connection closes: %t", n+1, status, closes)
		}
	}
}

func TestBody_AStopInTheMiddleEndsTheReadAndTheConnection(t *testing.T) {
	t.Parallel()
	c := connect(t, func(w http.ResponseWriter, r *http.Request) {
		b := incoming.New(w, r)
		b.Waits = true
		if _, err := io.ReadFull(b, make([]byte, 4)); err != nil {
			t.Error(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, b)
			ended <- err
		}()
		b.End()
		if err := <-ended; err == nil {
			t.Error("the read has found an end")
		}
		answer(w, r, b)
	})
	if _, closes := c.send(1000, "body"); !closes {
		t.Error("the connection stays open")
	}
}
