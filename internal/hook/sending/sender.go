// Package sending makes one signed POST of a message, and says what came of it in a class for programs and words for people.
//
// It promises that Send returns within its timeout, whatever the other side does; that an attempt which our own stop cuts off is told apart
// from one that failed; that no word of its own holds a secret, a header's value or more of a URL than host and port; and that a user's
// headers never replace ours.
//
// It must not know when a message is due, what is tried again and who may read what: it has no memory but its connections. Which addresses
// may be reached is the business of the transport it is given (package egress).
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

// Message is what is sent in one attempt. All attempts of a delivery have the same message.
type Message struct {
	ID      uuid.UUID // webhook-id, by which receivers know repetitions
	URL     string
	Secrets []string          // one or two, while it is being rotated: whsec_ and base64; each signs
	Headers map[string]string // the user's own, checked by CheckHeaders

	Event, Trigger string
	Revision       int64
	Cursor         string    // empty: the message is no change of the log
	OccurredAt     time.Time // zero: it is not told
	Body           []byte    // JSON; neither copied nor changed
}

// Config says how a Sender works. Zero values are replaced by the defaults named.
type Config struct {
	Version string           // told in user-agent: Itemcast/Version; "dev"
	Timeout time.Duration    // of one attempt, from the look-up of the name to the end of the answer: 15 s
	Now     func() time.Time // the clock of webhook-timestamp and Retry-After: time.Now
}

// Sender sends messages. It may be used concurrently, and one is enough for all endpoints.
type Sender struct {
	transport http.RoundTripper
	config    Config
	userAgent []string
}

// New makes a Sender. The transport decides what may be reached (egress.Policy.Transport); that there is no http.Client around it is why
// redirects are not followed.
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

// Send makes one attempt. A status of 200 to 299 is a success once the answer has ended or 64 KiB of it were read: the status is the answer,
// and a connection that has more to say is closed. An answer that has neither ended nor said so much by the timeout is a failure whatever its
// status, as its sender may not have meant it yet.
//
// When ctx is cancelled before that, the fault is Interrupted. A deadline of ctx that comes before the timeout stands for it.
func (s *Sender) Send(ctx context.Context, m Message) Result {
	started := time.Now()
	if deadline, ok := ctx.Deadline(); !ok || deadline.Sub(started) > s.config.Timeout { // a second timer would cost a microsecond or two
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.config.Timeout)
		defer cancel()
	}
	result := s.send(ctx, started, m)
	result.Took = time.Since(started)
	return result
}

func (s *Sender) send(ctx context.Context, started time.Time, m Message) Result {
	var progress progress
	request, err := http.NewRequestWithContext(progress.traced(ctx), http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil { // which holds the URL
		return unsendable("its URL cannot be read")
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
	if response.StatusCode == http.StatusSwitchingProtocols { // the body is the connection, which no deadline of ours ends
		result.Fault, result.Detail = Protocol, "The answer was 101 Switching Protocols, for which nobody had asked"
		return result
	}
	if result.Response, err = readAnswer(response.Body); err != nil {
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

// verdict is what a complete answer means.
func verdict(status int) (Fault, string) {
	if status >= 200 && status <= 299 {
		return "", ""
	}
	words := "The answer was " + strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	switch {
	case status == http.StatusGone:
		return Gone, words + ": the endpoint wants no more messages"
	case status >= 300 && status <= 399:
		return Redirect, words + "; redirects are not followed: give the hook the URL that it leads to"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Status, words + "; if the endpoint wants credentials, give the hook a header with them"
	case status == http.StatusNotFound:
		return Status, words + "; is the path of the hook's URL right?"
	case status == http.StatusMethodNotAllowed:
		return Status, words + "; the endpoint has to take POST"
	default:
		return Status, words
	}
}

const (
	maxResponse = 4 << 10  // bytes of an answer that are kept
	maxAnswer   = 64 << 10 // bytes of an answer that are read, so that its connection can be used again
)

// readAnswer reads an answer to its end, or maxAnswer of it, and returns the beginning.
func readAnswer(body io.Reader) (string, error) {
	if body == http.NoBody {
		return "", nil
	}
	buffer := buffers.Get().(*[maxResponse]byte)
	defer buffers.Put(buffer)
	var n int
	var err error
	for n < maxResponse && err == nil { // io.ReadFull would hide whether an answer was cut short
		var more int
		more, err = body.Read(buffer[n:])
		n += more
	}
	text := toText(buffer[:n])
	if err == nil {
		_, err = io.CopyN(io.Discard, body, maxAnswer-maxResponse)
	}
	if err == io.EOF { //nolint:errorlint // a reader's end is not wrapped, and what wraps it is not one
		err = nil
	}
	return text, err
}
