package nodetest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// freePort is one that nobody uses just now.
func FreePort(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	_, port, err := net.SplitHostPort(free.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// send posts a message as a hook would, signed for a moment.
func SendWebhook(t *testing.T, url, body, signature string, at time.Time, header ...string) Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Webhook-Id", "an id")
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("Webhook-Signature", signature)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return Response{Status: response.StatusCode, Header: response.Header}
}

// delivery is what a receiver got.
type Delivery struct {
	Header http.Header
	Body   []byte
}

// receiver is a real HTTP server that hooks post to.
func StartReceiver(t *testing.T) (url string, deliveries <-chan Delivery) {
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
