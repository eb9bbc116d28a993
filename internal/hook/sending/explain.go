package sending

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"itemcast/internal/hook/egress"
)

// attempt is what is known about a failed attempt.
type attempt struct {
	target
	stage stage
	ended error         // the error of its context; nil: the context has not ended
	limit time.Duration // from its start to its deadline
}

// target is the part of a URL that texts may show.
type target struct{ host, port string }

func targetOf(u *url.URL) target {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return target{u.Hostname(), port}
}

func (t target) String() string { return net.JoinHostPort(t.host, t.port) }

// explain classifies an error of net/http and describes it. The texts of net/http are for programmers, and many of its
// errors have no type.
func (a attempt) explain(err error) (Fault, string) {
	refusal, refused := errors.AsType[*egress.Refusal](err)
	lookUp, unknown := errors.AsType[*net.DNSError](err)
	timeout, mayBeLate := errors.AsType[net.Error](err)
	switch {
	case errors.Is(a.ended, context.Canceled):
		return Interrupted, "Itemcast itself interrupted the attempt"
	case refused && refusal.Address.IsValid() && refusal.Address.String() != a.host:
		return Refused, fmt.Sprintf("%s resolves to an address that hooks may not reach: %s", a.host, refusal)
	case refused:
		return Refused, refusal.Error()
	case a.ended != nil:
		return Timeout, fmt.Sprintf("No complete answer within %s: %s", a.limit, a.late())
	case unknown:
		return DNS, a.unresolved(lookUp)
	case mayBeLate && timeout.Timeout():
		return Timeout, "No answer in time: " + a.late()
	case a.stage == preparing:
		return Unsendable, "The message cannot be sent: " + err.Error()
	}
	if words := a.cutShort(err); words != "" {
		return Reset, words
	}
	if words := a.untrusted(err); words != "" {
		return TLS, words
	}
	if a.stage < sending {
		return Connect, a.unconnected(err)
	}
	return Protocol, a.malformed(err)
}

func (a attempt) late() string {
	switch a.stage {
	case lookingUp:
		return "the name server did not answer for " + a.host
	case shakingHands:
		return fmt.Sprintf("%s did not finish the TLS handshake", a)
	case sending:
		return fmt.Sprintf("%s did not read the whole message", a)
	case waiting:
		return fmt.Sprintf("%s read the message and did not answer", a)
	case reading:
		return fmt.Sprintf("%s did not finish its answer", a)
	default:
		return fmt.Sprintf("%s did not accept the connection", a)
	}
}

func (a attempt) unresolved(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "No such host: " + a.host
	case err.IsTimeout:
		return "The name server did not answer for " + a.host
	default: // the error of the name server, without its address
		return fmt.Sprintf("The name %s cannot be looked up: %s", a.host, err.Err)
	}
}

func (a attempt) unconnected(err error) string {
	var through string // the address, when the host is a name
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Addr != nil {
		if address, _, _ := net.SplitHostPort(dial.Addr.String()); address != a.host {
			through = address + ": "
		}
	}
	errno, _ := errors.AsType[syscall.Errno](err)
	switch {
	case errno == syscall.ECONNREFUSED:
		return fmt.Sprintf("Nothing listens at %s (%s%s)", a, through, errno)
	case errno != 0:
		return fmt.Sprintf("Cannot reach %s (%s%s)", a, through, errno)
	default:
		return fmt.Sprintf("Cannot connect to %s: %s", a, err)
	}
}

// cutShort describes a connection that ended early; empty: it did not.
func (a attempt) cutShort(err error) string {
	text := err.Error()
	verb := ""
	switch {
	case a.stage < shakingHands: // there is no connection yet
	case errors.Is(err, syscall.ECONNRESET), strings.Contains(text, "stream error:"): // RFC 9113 §5.4.2
		verb = "reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.EPIPE),
		strings.Contains(text, "server closed idle connection"), strings.Contains(text, "GOAWAY"),
		strings.Contains(text, "connection lost"):
		verb = "closed"
	}
	when := "before it answered"
	switch {
	case verb == "":
		return ""
	case a.stage == shakingHands:
		when = "during the TLS handshake"
	case a.stage == reading:
		when = "before the end of its answer"
	}
	return fmt.Sprintf("%s %s the connection %s", a, verb, when)
}

func (a attempt) malformed(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "headers exceeded"), strings.Contains(text, "header list larger"):
		return fmt.Sprintf("The header of the answer of %s is too long", a)
	case strings.Contains(text, `malformed HTTP response "\x15\x03`): // a TLS alert (RFC 8446 §5.1)
		return fmt.Sprintf("%s speaks TLS; the URL of the hook must begin with https://", a)
	}
	_, after, found := strings.Cut(text, "transport connection broken: ")
	if !found {
		after = text
	}
	return fmt.Sprintf("%s did not answer in valid HTTP: %s", a, after)
}
