package sending

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	public "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"itemcast/internal/hook/egress"
	"itemcast/internal/standardwebhooks"
)

func TestSend_PostsTheBodyWithItsHeadersAndTheUsers(t *testing.T) {
	t.Parallel()
	m := message("")
	m.Secrets = append(m.Secrets, standardwebhooks.NewSecret().Text())
	requests := make(chan *http.Request, 1)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); !bytes.Equal(body, m.Body) {
			t.Errorf("the body is %s", body)
		}
		requests <- r
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "taken")
	})
	m.URL = base + m.URL
	// Send ignores the headers that CheckHeaders refuses.
	m.Headers["WEBHOOK-id"], m.Headers["content-type"], m.Headers["Host"], m.Headers["user-agent"] = "mine",
		"text/plain", "other", "mine"
	got := newSender(t, loopback, egress.Options{}, Config{Version: "1.2.3"}).Send(t.Context(), m)
	check(t, got, "", "")
	if got.Status != http.StatusAccepted || got.Response != "taken" || got.RetryAfter != 0 {
		t.Errorf("got %+v", got)
	}
	r := <-requests
	for _, secret := range m.Secrets {
		verifier, err := public.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(m.Body, r.Header); err != nil {
			t.Errorf("verify: %v", err)
		}
	}
	for name, want := range map[string]string{
		"Webhook-Id": m.ID.String(), "Itemcast-Event": "item.updated", "Itemcast-Trigger": "hook", "Itemcast-Revision": "7", "Itemcast-Cursor": "cursor-7",
		"Itemcast-Occurred-At": "2026-01-02T02:04:05.678901Z", "User-Agent": "Itemcast/1.2.3", "Content-Type": "application/json",
		"Content-Length": "8", "Authorization": "Bearer " + secretPart, "X-Tenant": "acme", "Idempotency-Key": "", "Accept-Encoding": "",
	} {
		if got := strings.Join(r.Header.Values(name), "|"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if r.Method != http.MethodPost || r.Host != strings.TrimPrefix(base, "http://") || len(r.TransferEncoding) != 0 {
		t.Errorf("got %s to %s, %v", r.Method, r.Host, r.TransferEncoding)
	}
	trace := regexp.MustCompile(`^00-([0-9a-f]{32})-[0-9a-f]{16}-01$`).FindStringSubmatch(r.Header.Get("Traceparent"))
	if trace == nil || trace[1] != strings.ReplaceAll(m.ID.String(), "-", "") {
		t.Errorf("traceparent is %q", r.Header.Get("Traceparent"))
	}
}

func TestSend_OmitsHeadersWithoutAValue(t *testing.T) {
	t.Parallel()
	sender, ctx := toLoopback(t)
	headers := make(chan http.Header, 1)
	m := message(serve(t, func(_ http.ResponseWriter, r *http.Request) { headers <- r.Header }))
	m.Cursor, m.OccurredAt, m.Headers = "", time.Time{}, nil
	check(t, sender.Send(ctx, m), "", "")
	h := <-headers
	for _, name := range []string{"Itemcast-Cursor", "Itemcast-Occurred-At", "Authorization"} {
		if _, ok := h[name]; ok {
			t.Errorf("%s was sent: %q", name, h.Get(name))
		}
	}
}

func TestSend_ExplainsTheStatus(t *testing.T) {
	t.Parallel()
	sender, ctx := toLoopback(t)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.Header().Set("Location", "/elsewhere/"+secretPart)
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(status)
		if status != http.StatusNoContent && status != http.StatusNotModified {
			_, _ = io.WriteString(w, "why")
		}
	})
	const follow = "; redirects are not followed: set the URL of the hook to the target"
	for status, want := range map[int]struct {
		fault Fault
		words string
	}{
		200: {"", ""}, 201: {"", ""}, 204: {"", ""}, 299: {"", ""},
		301: {Redirect, "The answer was 301 Moved Permanently" + follow},
		302: {Redirect, "The answer was 302 Found" + follow},
		307: {Redirect, "The answer was 307 Temporary Redirect" + follow},
		308: {Redirect, "The answer was 308 Permanent Redirect" + follow},
		304: {Redirect, "The answer was 304 Not Modified" + follow},
		400: {Status, "The answer was 400 Bad Request"},
		401: {Status, "The answer was 401 Unauthorized; if the endpoint needs credentials, add a header with them to the hook"},
		403: {Status, "The answer was 403 Forbidden; if the endpoint needs credentials, add a header with them to the hook"},
		404: {Status, "The answer was 404 Not Found; is the path of the hook's URL right?"},
		405: {Status, "The answer was 405 Method Not Allowed; the endpoint must accept POST"},
		410: {Gone, "The answer was 410 Gone: the endpoint wants no more messages"},
		429: {Status, "The answer was 429 Too Many Requests"},
		500: {Status, "The answer was 500 Internal Server Error"},
		503: {Status, "The answer was 503 Service Unavailable"}, 599: {Status, "The answer was 599"},
		999: {Status, "The answer was 999"},
	} {
		m := message("")
		m.URL = fmt.Sprintf("%s/%d?token=%s", base, status, secretPart)
		got := sender.Send(ctx, m)
		check(t, got, want.fault, want.words)
		if got.Status != status || (got.RetryAfter == 90*time.Second) != (want.fault != "") {
			t.Errorf("%d: got %+v", status, got)
		}
		if wantText := status != 204 && status != 304; (got.Response == "why") != wantText {
			t.Errorf("%d: the response is %q", status, got.Response)
		}
	}
}

func TestSend_KeepsTheBeginningOfTheResponseAsText(t *testing.T) {
	t.Parallel()
	sender, ctx := toLoopback(t)
	for body, want := range map[string]string{
		"":                                     "",
		strings.Repeat("a", maxResponse):       strings.Repeat("a", maxResponse),
		strings.Repeat("a", maxResponse+1):     strings.Repeat("a", maxResponse),
		strings.Repeat("é", maxResponse):       strings.Repeat("é", maxResponse/2),
		"a" + strings.Repeat("é", maxResponse): "a" + strings.Repeat("é", maxResponse/2-1),
		"a\x00b\xff\xfec":                      "ab\uFFFDc",
	} {
		m := message(serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		if got := sender.Send(ctx, m); got.Response != want || got.Fault != "" {
			t.Errorf("%.20q…: got %.20q… (%d bytes), %s", body, got.Response, len(got.Response), got.Fault)
		}
	}
}

func TestSend_StopsReadingALongResponse(t *testing.T) {
	t.Parallel()
	sender, ctx := toLoopback(t)
	written := make(chan int, 1)
	host := raw(t, func(_ int, conn net.Conn) {
		if readRequest(conn) == nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
		total := 0
		for chunk := make([]byte, 4096); ; { // endless
			n, err := conn.Write(chunk)
			total += n
			if err != nil {
				written <- total
				return
			}
		}
	})
	got := sender.Send(ctx, message("http://"+host))
	check(t, got, "", "")
	if got.Status != http.StatusOK {
		t.Errorf("got %+v", got)
	}
	select {
	case <-written:
	case <-time.After(timeout):
		t.Error("the connection stays open")
	}
}

func TestSend_ReusesAConnectionWhoseResponseWasRead(t *testing.T) {
	t.Parallel()
	sender, ctx := toLoopback(t)
	addresses := map[string]bool{}
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		addresses[r.RemoteAddr] = true
		_, _ = w.Write(make([]byte, maxRead-1))
	})
	for range 5 {
		check(t, sender.Send(ctx, message(base)), "", "")
	}
	if len(addresses) != 1 {
		t.Errorf("%d connections were made, want 1", len(addresses))
	}
}

// An endpoint may close an idle connection while a message is written to it. That is not a failure of the endpoint.
func TestSend_RepeatsWhenAnIdleConnectionWasJustClosed(t *testing.T) {
	t.Parallel()
	sender, ctx := toLoopback(t)
	requests := make(chan http.Header, 9)
	host := raw(t, func(n int, conn net.Conn) {
		r := readRequest(conn)
		if r == nil {
			return
		}
		requests <- r.Header
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		if n > 1 {
			hold(conn)
			return
		}
		if r = readRequest(conn); r != nil { // and closes
			requests <- r.Header
		}
	})
	m := message("http://" + host)
	m.Secrets = append(m.Secrets, standardwebhooks.NewSecret().Text())
	for range 2 {
		check(t, sender.Send(ctx, m), "", "")
	}
	if len(requests) != 3 {
		t.Fatalf("there were %d requests, want 3", len(requests))
	}
	<-requests
	first, again := <-requests, <-requests
	for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		if first.Get(name) != again.Get(name) || first.Get(name) == "" {
			t.Errorf("%s was %q, then %q", name, first.Get(name), again.Get(name))
		}
	}
	if strings.Count(again.Get("Webhook-Signature"), "v1,") != 2 {
		t.Errorf("the signatures are %q", again.Get("Webhook-Signature"))
	}
}
