package sending

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/hook/egress"
	"itemcast/internal/standardwebhooks"
)

// timeout bounds every wait. The tests wait for events that come much sooner.
const timeout = time.Minute

// secretPart is in every part of a message that no text may show.
const secretPart = "s3cr3t"

var loopback = egress.Policy{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("::1/128")}}

func newSender(t testing.TB, policy egress.Policy, options egress.Options, config Config) *Sender {
	t.Helper()
	transport := policy.Transport(options)
	t.Cleanup(transport.CloseIdleConnections)
	if config.Timeout == 0 {
		config.Timeout = timeout
	}
	return New(transport, config)
}

// toLoopback returns a Sender that may reach this machine, and a context that ends with the test.
func toLoopback(t testing.TB) (*Sender, context.Context) {
	t.Helper()
	return newSender(t, loopback, egress.Options{}, Config{}), t.Context()
}

// message returns a message to base, which is a URL without a path.
func message(base string) Message {
	return Message{
		ID: uuid.New(), URL: base + "/" + secretPart + "?token=" + secretPart,
		Secrets: []string{standardwebhooks.NewSecret().Text()},
		Headers: map[string]string{"Authorization": "Bearer " + secretPart, "X-Tenant": "acme"},
		Event:   "item.updated", Trigger: "hook", Revision: 7, Cursor: "cursor-7",
		OccurredAt: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.FixedZone("", 3600)), Body: []byte(`{"id":1}`),
	}
}

// serve starts an endpoint and returns its URL without a path.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// raw starts an endpoint that passes each connection, numbered from 1, to converse, and then closes it.
func raw(t testing.TB, converse func(n int, conn net.Conn)) (hostport string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conversations sync.WaitGroup
	var conns []net.Conn
	conversations.Go(func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				for _, conn := range conns {
					_ = conn.Close()
				}
				return
			}
			conns = append(conns, conn)
			conversations.Go(func() { defer conn.Close(); converse(n, conn) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); conversations.Wait() })
	return listener.Addr().String()
}

// readRequest reads one request from a connection; nil: it ended.
func readRequest(conn net.Conn) *http.Request {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return nil
	}
	_, _ = io.Copy(io.Discard, request.Body)
	return request
}

// replying is a conversation that reads a request and answers with text.
func replying(text string) func(int, net.Conn) {
	return func(_ int, conn net.Conn) {
		if readRequest(conn) != nil {
			_, _ = io.WriteString(conn, text)
		}
	}
}

// hold keeps a connection open until the other side closes it.
func hold(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// check fails the test unless a result has the fault and the words, and shows no secret.
func check(t *testing.T, got Result, fault Fault, words string) {
	t.Helper()
	if got.Fault != fault || got.Detail != words {
		t.Errorf("got %s, %q\nwant %s, %q", got.Fault, got.Detail, fault, words)
	}
	if strings.Contains(got.Detail, secretPart) || len(got.Detail) > maxDetail {
		t.Errorf("it shows a secret, or is too long: %s", got.Detail)
	}
	if got.Took <= 0 || got.Took > timeout {
		t.Errorf("it took %s", got.Took)
	}
}
