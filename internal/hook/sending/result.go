package sending

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Result is the result of an attempt.
type Result struct {
	Status     int           // of the response, even if it did not end in time; zero: no response
	Took       time.Duration // from the call of Send to its return
	Response   string        // the first 4 KiB of the body, as valid UTF-8 without NUL
	RetryAfter time.Duration // of a failure, up to 292 years; zero: none
	Fault      Fault         // empty: success, and only then
	Detail     string        // of a fault: a sentence for people without its full stop, at most 500 bytes
}

// Fault is the class of a failure, for programs. It does not change between releases.
type Fault string

// The classes.
const (
	Timeout     Fault = "timeout"         // no complete response in time
	DNS         Fault = "dns"             // the name of the host has no address, or the look-up failed
	Refused     Fault = "refused_address" // egress.Policy does not allow it
	Connect     Fault = "connect"         // nothing listens there, or it cannot be reached
	TLS         Fault = "tls"             // the certificate, or the handshake
	Reset       Fault = "reset"           // the connection ended before a complete response
	Protocol    Fault = "protocol"        // the response is not valid HTTP
	Redirect    Fault = "redirect"        // 300 to 399; not followed
	Gone        Fault = "gone"            // 410
	Status      Fault = "status"          // any other than 200 to 299
	Unsendable  Fault = "unsendable"      // the message has an invalid URL or secret
	Interrupted Fault = "interrupted"     // by Itemcast itself; the message may have arrived
)

// parseRetryAfter parses seconds, however many, or a date (RFC 9110 §10.2.3). It returns zero for anything else.
func parseRetryAfter(value string, now time.Time) time.Duration {
	const most = uint64(math.MaxInt64 / time.Second)
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, most)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

var buffers = sync.Pool{New: func() any { return new([maxResponse]byte) }}

// toText returns the beginning of a body as text, in a new string: without NUL and without a character that the end
// cuts off, and with U+FFFD for invalid UTF-8.
func toText(raw []byte) string {
	raw = bytes.ReplaceAll(withoutPart(raw), []byte{0}, nil)
	if utf8.Valid(raw) {
		return string(raw)
	}
	return shorten(string(bytes.ToValidUTF8(raw, []byte("\uFFFD"))), maxResponse)
}

// withoutPart removes an incomplete character at the end.
func withoutPart(raw []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(raw); i++ {
		if tail := raw[len(raw)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return raw[:len(raw)-i]
			}
			break
		}
	}
	return raw
}

// shorten cuts valid UTF-8 between characters, to at most limit bytes.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

const maxDetail = 500 // bytes

// plain turns text from a name server, a certificate or an endpoint into one printable line.
func plain(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}
