package oneshot

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"itemcast/internal/problem"
)

// A body may be slower than any deadline while it moves, and is given up when it does not.
func TestBody_WaitsForASlowClientAndNotForAStuckOne(t *testing.T) {
	t.Parallel()
	const idle = 2 * time.Second
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := newBody(w, r)
		b.Idle = idle
		b.admit(1000)
		_, err := io.Copy(io.Discard, b)
		ended <- b.explain(err)
		b.Answer()
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
	began := time.Now()
	for time.Since(began) < 2*idle {
		fmt.Fprint(conn, "x")
		select {
		case err := <-ended:
			t.Fatalf("a slow body ended after %s with %v", time.Since(began), err)
		case <-time.After(idle / 8):
		}
	}
	select {
	case err := <-ended:
		if p := problem.Of(err); p == nil || p.Code != problem.BadRequest || !strings.Contains(p.Detail, "Nothing of the body") {
			t.Errorf("a stuck body ended with %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("a stuck body does not end")
	}
	if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the client got %v, %v", answer, err)
	}
}
