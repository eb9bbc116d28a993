package tus

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestBody_KnowsASilentClientFromOneThatIsGone(t *testing.T) {
	t.Parallel()
	for name, leaves := range map[string]bool{"silent": false, "gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bodies := make(chan *body, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b := newBody(w, r)
				if !leaves {
					_ = b.deadline.Set(time.Now().Add(50 * time.Millisecond))
				}
				_, _ = io.Copy(io.Discard, b)
				<-r.Context().Done() // net/http cancels it in both cases
				bodies <- b
			}))
			defer server.Close()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprint(conn, "PATCH / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
			if leaves {
				conn.Close()
			}
			if b := <-bodies; !b.failed || b.silent == leaves || b.gone() != leaves {
				t.Errorf("failed: %t, silent: %t, gone: %t", b.failed, b.silent, b.gone())
			}
		})
	}
}

func TestBody_AnInterruptionAfterItsEndLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"a body": 3, "no body": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b := newBody(w, r)
				if _, err := io.CopyN(io.Discard, b, int64(size)); err != nil {
					t.Error(err)
				}
				b.interrupt()
				select {
				case <-r.Context().Done():
					t.Errorf("the request has ended: %v", context.Cause(r.Context()))
				case <-time.After(100 * time.Millisecond): // net/http needs none of it to cancel
				}
			}))
			defer server.Close()
			for range 3 { // on one connection
				answer, err := server.Client().Post(server.URL, "", bytes.NewReader(make([]byte, size)))
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
			}
		})
	}
}
