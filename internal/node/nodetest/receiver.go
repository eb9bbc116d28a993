package nodetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"itemcast/internal/porttest"
)

// Delivery is a delivery as a receiver got it.
type Delivery struct {
	Header http.Header
	Body   []byte
}

// StartReceiver starts an HTTP server that accepts every delivery.
func StartReceiver(t testing.TB) (url string, deliveries <-chan Delivery) {
	t.Helper()
	received := make(chan Delivery, 10_000)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		received <- Delivery{Header: r.Header.Clone(), Body: body}
	}))
	t.Cleanup(server.Close)
	return server.URL, received
}

// RefusingURL returns a URL at which connections are refused until the test ends.
func RefusingURL(t testing.TB) string {
	t.Helper()
	return "http://" + porttest.Reserve(t) + "/"
}

// SendWebhook sends a message as a hook does, with a signature and timestamp of the caller's.
func SendWebhook(t testing.TB, url, body, signature string, at time.Time, header ...string) Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Webhook-Id", "an id")
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("Webhook-Signature", signature)
	setHeaders(request.Header, header)
	return (&Client{T: t}).send(http.DefaultClient, request)
}
