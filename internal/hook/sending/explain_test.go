package sending

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/egress/dnstest"
	"itemcast/internal/porttest"
)

// shortTimeout is a timeout that passes in the tests.
const shortTimeout = 150 * time.Millisecond

// expiring is a context whose deadline passes when expire is called, and not before.
type expiring struct {
	context.Context
	deadline time.Time
	expired  chan struct{}
	once     sync.Once
}

func newExpiring(t *testing.T) *expiring {
	return &expiring{Context: t.Context(), deadline: time.Now().Add(timeout / 2), expired: make(chan struct{})}
}

func (e *expiring) expire() { e.once.Do(func() { close(e.expired) }) }

func (e *expiring) Deadline() (time.Time, bool) { return e.deadline, true }

func (e *expiring) Done() <-chan struct{} { return e.expired }

func (e *expiring) Err() error {
	select {
	case <-e.expired:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestSend_NamesTheStageOfATimeout(t *testing.T) {
	t.Parallel()
	silent := raw(t, func(_ int, conn net.Conn) { hold(conn) })
	dripping := raw(t, func(_ int, conn net.Conn) {
		if readRequest(conn) == nil {
			return
		}
		_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
		drip := time.NewTicker(time.Millisecond)
		defer drip.Stop()
		for ; err == nil; <-drip.C {
			_, err = io.WriteString(conn, "a")
		}
	})
	deaf := raw(t, func(_ int, conn net.Conn) { // reads nothing
		_ = conn.(*net.TCPConn).SetReadBuffer(1)
		<-t.Context().Done()
	})
	header := raw(t, func(_ int, conn net.Conn) {
		if readRequest(conn) == nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200")
		hold(conn)
	})
	for _, test := range []struct {
		url, words string
		options    egress.Options
		body       int
		at         func(expire func()) *httptrace.ClientTrace // when the deadline passes
	}{
		{
			url: "http://slow.example", words: "the name server did not answer for slow.example",
			options: egress.Options{Resolver: dnstest.Silent(t)}, at: atDNS,
		},
		{url: "https://" + silent, words: silent + " did not finish the TLS handshake", at: atHandshake},
		{url: "http://" + silent, words: silent + " read the message and did not answer", at: atWrote},
		{url: "http://" + deaf, words: deaf + " did not read the whole message", body: 32 << 20, at: atConnection},
		{url: "http://" + header, words: header + " did not finish its answer", at: atResponse},
		{url: "http://" + dripping, words: dripping + " did not finish its answer", at: atResponse},
	} {
		sender := newSender(t, loopback, test.options, Config{})
		m := message(test.url)
		m.Body = append(m.Body, make([]byte, test.body)...)
		ctx := newExpiring(t)
		got := sender.Send(httptrace.WithClientTrace(ctx, test.at(ctx.expire)), m)
		if got.Fault != Timeout || !strings.HasPrefix(got.Detail, "No complete answer within ") ||
			!strings.HasSuffix(got.Detail, "s: "+test.words) || strings.Trim(got.Response, "a") != "" {
			t.Errorf("got %+v, want %s", got, test.words)
		}
	}
}

func atDNS(expire func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{DNSStart: func(httptrace.DNSStartInfo) { expire() }}
}

func atHandshake(expire func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{TLSHandshakeStart: expire}
}

func atConnection(expire func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { expire() }}
}

func atWrote(expire func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { expire() }}
}

func atResponse(expire func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotFirstResponseByte: expire}
}

func TestSend_EndsAfterItsTimeout(t *testing.T) {
	t.Parallel()
	silent := raw(t, func(_ int, conn net.Conn) { hold(conn) })
	got := newSender(t, loopback, egress.Options{}, Config{Timeout: shortTimeout}).Send(t.Context(),
		message("http://"+silent))
	if got.Fault != Timeout || !strings.HasPrefix(got.Detail, "No complete answer within 150ms: ") ||
		got.Took < shortTimeout {
		t.Errorf("got %+v", got)
	}
}

// tripper is a transport that calls back when a response has begun.
type tripper struct {
	http.RoundTripper
	begun func()
}

func (tr tripper) RoundTrip(r *http.Request) (*http.Response, error) {
	defer tr.begun()
	return tr.RoundTripper.RoundTrip(r)
}

func TestSend_ReportsTheStatusOfAResponseThatDoesNotEndInTime(t *testing.T) {
	t.Parallel()
	host := raw(t, func(_ int, conn net.Conn) {
		if readRequest(conn) != nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\naaa")
			hold(conn)
		}
	})
	ctx := newExpiring(t)
	sender := New(tripper{loopback.Transport(egress.Options{}), ctx.expire}, Config{Timeout: timeout})
	got := sender.Send(ctx, message("http://"+host))
	if got.Fault != Timeout || got.Status != http.StatusOK ||
		!strings.HasSuffix(got.Detail, host+" did not finish its answer") {
		t.Errorf("got %+v", got)
	}
}

func TestSend_ReportsAConnectionThatIsNotAcceptedInTime(t *testing.T) {
	t.Parallel()
	transport := loopback.Transport(egress.Options{})
	deaf := func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		<-ctx.Done() // as if the peer did not answer
		return ctx.Err()
	}
	transport.DialContext = (&net.Dialer{ControlContext: deaf}).DialContext
	got := New(transport, Config{Timeout: shortTimeout}).Send(t.Context(), message("http://127.0.0.1"))
	check(t, got, Timeout, "No complete answer within 150ms: 127.0.0.1:80 did not accept the connection")
}

func TestSend_RespectsTheCallersDeadline(t *testing.T) {
	t.Parallel()
	silent := raw(t, func(_ int, conn net.Conn) { hold(conn) })
	sender, ctx := toLoopback(t)
	ctx, cancel := context.WithTimeout(ctx, shortTimeout)
	defer cancel()
	got := sender.Send(ctx, message("http://"+silent))
	if got.Fault != Timeout || got.Took >= timeout || !strings.HasPrefix(got.Detail, "No complete answer within ") ||
		strings.Contains(got.Detail, timeout.String()) {
		t.Errorf("got %+v", got)
	}
}

func TestSend_DistinguishesAnInterruptionFromAFailure(t *testing.T) {
	t.Parallel()
	sender, parent := toLoopback(t)
	ctx, cancel := context.WithCancel(parent)
	host := raw(t, func(_ int, conn net.Conn) {
		if readRequest(conn) != nil {
			cancel()
			hold(conn)
		}
	})
	check(t, sender.Send(ctx, message("http://"+host)), Interrupted, "Itemcast itself interrupted the attempt")

	ctx, cancel = context.WithCancel(parent)
	defer cancel()
	host = raw(t, func(_ int, conn net.Conn) {
		if readRequest(conn) != nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			cancel()
			hold(conn)
		}
	})
	if got := sender.Send(ctx, message("http://"+host)); got.Fault != Interrupted {
		t.Errorf("during the answer: %+v", got)
	}
	if got := sender.Send(ctx, message("http://"+host)); got.Fault != Interrupted {
		t.Errorf("before the start: %+v", got)
	}
}

func TestSend_ReportsNamesWithoutAnAddress(t *testing.T) {
	t.Parallel()
	resolver := dnstest.Resolver(t, func(name string, _ bool) ([]netip.Addr, bool) {
		return nil,
			name == "empty.example"
	})
	sender := newSender(t, loopback, egress.Options{Resolver: resolver}, Config{})
	check(t, sender.Send(t.Context(), message("https://unknown.example")), DNS, "No such host: unknown.example")
	check(t, sender.Send(t.Context(), message("http://empty.example:8080")), DNS, "No such host: empty.example")

	away := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "udp", Addr: &net.UDPAddr{IP: net.IPv4(10, 9, 8, 7), Port: 53},
			Err: syscall.ENETUNREACH}
	}}
	got := newSender(t, loopback, egress.Options{Resolver: away}, Config{}).Send(t.Context(),
		message("https://unknown.example"))
	if got.Fault != DNS || !strings.HasPrefix(got.Detail, "The name unknown.example cannot be looked up: ") {
		t.Errorf("got %+v", got)
	}
}

func TestSend_ReportsAddressesThatAreNotAllowed(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the message arrived") })
	port := base[strings.LastIndexByte(base, ':'):]
	resolver := dnstest.Resolver(t, func(string, bool) ([]netip.Addr,
		bool) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, true
	})
	sender := newSender(t, egress.Policy{}, egress.Options{Resolver: resolver}, Config{})
	const refusal = "127.0.0.1 is a loopback address (127.0.0.0/8), which hooks may not reach; the operator can allow a network with ITEMCAST_HOOK_ALLOW_NETWORKS"
	check(t, sender.Send(t.Context(), message(base)), Refused, refusal)
	check(t, sender.Send(t.Context(), message("http://hooks.example"+port)), Refused,
		"hooks.example resolves to an address that hooks may not reach: "+refusal)
	got := newSender(t, loopback, egress.Options{}, Config{}).Send(t.Context(), message("http://127.0.0.1:25"))
	if got.Fault != Refused || !strings.Contains(got.Detail, egress.SettingPorts) {
		t.Errorf("got %+v", got)
	}
}

func TestSend_ReportsThatNothingListens(t *testing.T) {
	t.Parallel()
	host := porttest.Reserve(t)
	_, port, _ := net.SplitHostPort(host)
	resolver := dnstest.Resolver(t, func(string, bool) ([]netip.Addr,
		bool) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, true
	})
	sender := newSender(t, loopback, egress.Options{Resolver: resolver}, Config{})
	check(t, sender.Send(t.Context(), message("http://"+host)), Connect,
		"Nothing listens at "+host+" (connection refused)")
	check(t, sender.Send(t.Context(), message("https://hooks.example:"+port)), Connect,
		"Nothing listens at hooks.example:"+port+" (127.0.0.1: connection refused)")
}

func TestSend_ReportsAnUnreachableAddress(t *testing.T) {
	t.Parallel()
	transport := loopback.Transport(egress.Options{})
	transport.DialContext = (&net.Dialer{Control: func(string, string, syscall.RawConn) error {
		return syscall.EHOSTUNREACH
	}}).DialContext
	got := New(transport, Config{}).Send(t.Context(), message("http://127.0.0.1"))
	check(t, got, Connect, "Cannot reach 127.0.0.1:80 (no route to host)")
}

func TestSend_ReportsAConnectionThatEndedEarly(t *testing.T) {
	t.Parallel()
	sender, ctx := toLoopback(t)
	begun := make(chan struct{}, 9)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: func() { begun <- struct{}{} }})
	reset := func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) } // RST when it closes
	for words, converse := range map[string]func(int, net.Conn){
		"closed the connection before it answered":             replying(""),
		"closed the connection before the end of its answer":   replying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
		"closed the connection before the end of its answer ":  replying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nabc"),
		"closed the connection before the end of its answer  ": replying("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"),
		"reset the connection before it answered":              func(_ int, conn net.Conn) { readRequest(conn); reset(conn) },
		"reset the connection before the end of its answer": func(_ int, conn net.Conn) {
			replying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")(0, conn)
			<-begun
			reset(conn)
		},
	} {
		for len(begun) > 0 {
			<-begun
		}
		host := raw(t, converse)
		check(t, sender.Send(ctx, message("http://"+host)), Reset, host+" "+strings.TrimRight(words, " "))
	}
	// Closed or reset: the endpoint has not read the message.
	host := raw(t, func(int, net.Conn) {})
	got := sender.Send(ctx, message("https://"+host))
	if got.Fault != Reset || !strings.HasSuffix(got.Detail, " the connection during the TLS handshake") {
		t.Errorf("got %+v", got)
	}
}

func TestSend_ReportsResponsesThatAreNotHTTP(t *testing.T) {
	t.Parallel()
	sender, ctx := toLoopback(t)
	const prefix = "did not answer in valid HTTP: "
	for answer, want := range map[string]string{
		"SSH-2.0-OpenSSH_9.6\r\n":                                                                   prefix + `malformed HTTP response "SSH-2.0-OpenSSH_9.6"`,
		"HTTP/1.1 abc\r\n\r\n":                                                                      prefix + `malformed HTTP status code "abc"`,
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n":                                                       prefix + "malformed MIME header",
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n":                                              prefix + "bad Content-Length",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n":                                        prefix + "unsupported transfer encoding",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n":                               prefix + "invalid byte in chunk length",
		"HTTP/1.1 200 OK\r\nLong: " + strings.Repeat("a", 70<<10) + "\r\n\r\n":                      "is too long",
		"\x15\x03\x01\x00\x02\x02\x0a":                                                              "speaks TLS; the URL of the hook must begin with https://",
		"\x00\x01\x02\x7f\n":                                                                        prefix,
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: held\r\n\r\n":          "The answer was 101 Switching Protocols, which was not requested",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                                                  "The answer was 101 Switching Protocols, which was not requested",
		strings.Repeat("HTTP/1.1 102 Processing\r\nA: "+strings.Repeat("b", 1<<10)+"\r\n\r\n", 100): "",
	} {
		host := raw(t, func(_ int, conn net.Conn) {
			if readRequest(conn) != nil {
				_, _ = io.WriteString(conn, answer)
				hold(conn)
			}
		})
		got := sender.Send(ctx, message("http://"+host))
		if got.Fault != Protocol || !strings.Contains(got.Detail, want) || strings.Contains(got.Detail, secretPart) ||
			len(got.Detail) > maxDetail {
			t.Errorf("%.60q: got %+v", answer, got)
		}
		if strings.ContainsFunc(got.Detail, func(r rune) bool { return r < ' ' }) {
			t.Errorf("%.60q: control characters: %q", answer, got.Detail)
		}
	}
}

func TestSend_ReportsMessagesThatCannotBeSent(t *testing.T) {
	t.Parallel()
	sender, ctx := toLoopback(t)
	for words, change := range map[string]func(*Message){
		"its URL cannot be parsed":                         func(m *Message) { m.URL = "http://%zz/" + secretPart },
		"it has no secret to sign with":                    func(m *Message) { m.Secrets = nil },
		"its secret cannot be parsed":                      func(m *Message) { m.Secrets = []string{"whsec_!" + secretPart} },
		`unsupported protocol scheme "ftp"`:                func(m *Message) { m.URL = "ftp://127.0.0.1/" + secretPart },
		"http: no Host in request URL":                     func(m *Message) { m.URL = "http:///" + secretPart },
		`net/http: invalid header field value for "X-Bad"`: func(m *Message) { m.Headers["X-Bad"] = secretPart + "\n" },
	} {
		m := message("http://127.0.0.1")
		change(&m)
		check(t, sender.Send(ctx, m), Unsendable, "The message cannot be sent: "+words)
	}
}

func TestSend_ReportsRefusedStreamsOfHTTP2(t *testing.T) {
	t.Parallel()
	sender, base := overTLS(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	got := sender.Send(t.Context(), message(base))
	check(t, got, Reset, fmt.Sprintf("%s reset the connection before it answered",
		strings.TrimPrefix(base, "https://")))
}
