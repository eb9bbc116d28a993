// Package sending makes one signed POST of a message, and reports the result as a class for programs and in words
// for people.
//
// It promises:
//
//   - Send returns within its timeout, whatever the endpoint does.
//   - An attempt that Itemcast itself interrupts is not reported as a failure of the endpoint.
//   - Texts contain no secret, no value of a header, and only the host and the port of a URL.
//   - A user's headers never replace Itemcast's.
//
// It must not know when a message is due, whether it is sent again, or who may read it. It has no state but open
// connections. Its transport decides which addresses may be reached (package egress).
package sending

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Message is the content of one attempt. All attempts of a delivery have the same message.
type Message struct {
	ID      uuid.UUID // the webhook-id, by which receivers recognize repetitions
	URL     string
	Secrets []string          // whsec_ and base64; each signs the message, and during a rotation there are two
	Headers map[string]string // the user's own, checked by CheckHeaders

	Event, Trigger string
	Revision       int64
	Cursor         string    // empty: the message is not about a change of the log
	OccurredAt     time.Time // zero: not sent
	Body           []byte    // JSON; neither copied nor changed

	// Of a workflow's task; Task is empty when there is none. TaskAction may be empty.
	Task, TaskAt, TaskAction string
}

// Config configures a Sender. A zero value stands for the default in the comment.
type Config struct {
	Version string           // sent in User-Agent, as Itemcast/Version: "dev"
	Timeout time.Duration    // of one attempt, from the look-up of the name to the end of the response: 15 s
	Now     func() time.Time // the clock of webhook-timestamp and Retry-After: time.Now
}

// Sender sends messages. It may be used concurrently. One Sender serves all endpoints.
type Sender struct {
	transport http.RoundTripper
	config    Config
	userAgent []string
}

// New makes a Sender. The transport decides what may be reached (egress.Policy.Transport). Without an http.Client
// around it, redirects are not followed.
func New(transport http.RoundTripper, config Config) *Sender {
	if config.Version == "" {
		config.Version = "dev"
	}
	if config.Timeout == 0 {
		config.Timeout = 15 * time.Second
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Sender{transport: transport, config: config, userAgent: []string{"Itemcast/" + config.Version}}
}

// Send makes one attempt. A status from 200 to 299 is a success once the response has ended or 64 KiB of it were
// read; a connection that sends more is closed. A response that has not got so far by the timeout is a failure,
// whatever its status: the endpoint may still fail.
//
// When ctx is cancelled first, the fault is Interrupted. If ctx has an earlier deadline, that replaces the timeout.
func (s *Sender) Send(ctx context.Context, m Message) Result {
	started := time.Now()
	// A second timer, where ctx has a deadline already, would cost a microsecond or two.
	if deadline, ok := ctx.Deadline(); !ok || deadline.Sub(started) > s.config.Timeout {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, started.Add(s.config.Timeout))
		defer cancel()
	}
	result := s.send(ctx, started, m)
	result.Took = time.Since(started)
	return result
}

func (s *Sender) send(ctx context.Context, started time.Time, m Message) Result {
	var progress progress
	request, err := http.NewRequestWithContext(progress.traced(ctx), http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil { // the error holds the URL
		return unsendable("its URL cannot be parsed")
	}
	if request.Header, err = s.header(m); err != nil {
		return unsendable(err.Error())
	}
	failed := func(result Result, err error) Result {
		a := attempt{target: targetOf(request.URL), stage: progress.now(), ended: ctx.Err()}
		if deadline, ok := ctx.Deadline(); ok {
			a.limit = deadline.Sub(started).Round(time.Millisecond)
		}
		fault, words := a.explain(err)
		result.Fault, result.Detail = fault, shorten(plain(words), maxDetail)
		return result
	}

	response, err := s.transport.RoundTrip(request)
	if err != nil {
		return failed(Result{}, err)
	}
	defer func() { _ = response.Body.Close() }()
	result := Result{Status: response.StatusCode}
	if response.StatusCode == http.StatusSwitchingProtocols { // the body is the connection, which no deadline ends
		result.Fault, result.Detail = Protocol, "The answer was 101 Switching Protocols, which was not requested"
		return result
	}
	if result.Response, err = readResponse(response.Body); err != nil {
		return failed(result, err)
	}
	if result.Fault, result.Detail = verdict(response.StatusCode); result.Fault != "" {
		result.RetryAfter = parseRetryAfter(response.Header.Get("Retry-After"), s.config.Now())
	}
	return result
}

func unsendable(reason string) Result {
	return Result{Fault: Unsendable, Detail: "The message cannot be sent: " + reason}
}

// verdict returns what the status of a complete response means.
func verdict(status int) (Fault, string) {
	if status >= 200 && status <= 299 {
		return "", ""
	}
	words := "The answer was " + strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	switch {
	case status == http.StatusGone:
		return Gone, words + ": the endpoint wants no more messages"
	case status >= 300 && status <= 399:
		return Redirect, words + "; redirects are not followed: set the URL of the hook to the target"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Status, words + "; if the endpoint needs credentials, add a header with them to the hook"
	case status == http.StatusNotFound:
		return Status, words + "; is the path of the hook's URL right?"
	case status == http.StatusMethodNotAllowed:
		return Status, words + "; the endpoint must accept POST"
	default:
		return Status, words
	}
}

const (
	maxResponse = 4 << 10  // bytes that the result has
	maxRead     = 64 << 10 // bytes that are read, so that the connection can be used again
)

// readResponse reads a body to its end, or maxRead of it, and returns the beginning.
func readResponse(body io.Reader) (string, error) {
	if body == http.NoBody {
		return "", nil
	}
	buffer := buffers.Get().(*[maxResponse]byte)
	defer buffers.Put(buffer)
	var n int
	var err error
	for n < maxResponse && err == nil { // io.ReadFull would hide that a response was cut short
		var more int
		more, err = body.Read(buffer[n:])
		n += more
	}
	text := toText(buffer[:n])
	if err == nil {
		_, err = io.CopyN(io.Discard, body, maxRead-maxResponse)
	}
	if err == io.EOF { //nolint:errorlint // readers return io.EOF itself; a wrapped one is an error
		err = nil
	}
	return text, err
}
