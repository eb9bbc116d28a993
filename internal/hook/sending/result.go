package sending

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Result is what came of an attempt.
type Result struct {
	Status     int           // of the answer, even of one that did not end in time; zero: there was none
	Took       time.Duration // from the call to the result
	Response   string        // the first 4 KiB of the answer's body, as valid UTF-8 without NUL
	RetryAfter time.Duration // what a failure's answer asks for, unbounded; zero: nothing
	Fault      Fault         // empty: success, and only then
	Detail     string        // of a fault: a sentence for people without its full stop, at most 500 bytes
}

// Fault is the class of what went wrong, for programs. It does not change between releases.
type Fault string

// The classes.
const (
	Timeout     Fault = "timeout"         // no complete answer in time
	DNS         Fault = "dns"             // the name of the host has no address, or cannot be looked up
	Refused     Fault = "refused_address" // by egress.Policy: hooks may not reach it
	Connect     Fault = "connect"         // nothing listens there, or there is no way there
	TLS         Fault = "tls"             // the certificate, or the handshake
	Reset       Fault = "reset"           // the connection ended before a complete answer
	Protocol    Fault = "protocol"        // the answer is not HTTP that we take
	Redirect    Fault = "redirect"        // 300 to 399; not followed
	Gone        Fault = "gone"            // 410
	Status      Fault = "status"          // any other but 200 to 299
	Unsendable  Fault = "unsendable"      // the message itself has a URL, a secret or a header that should not have come so far
	Interrupted Fault = "interrupted"     // by our own stop: neither a success nor a failure, and the message may have arrived
)

// parseRetryAfter reads RFC 9110, section 10.2.3: seconds or a date. Zero when there is none that can be read.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

var buffers = sync.Pool{New: func() any { return new([maxResponse]byte) }}

// toText makes text of the beginning of an answer, in a string of its own: what is no UTF-8 becomes U+FFFD, NUL goes, and a character that
// the end cuts off too.
func toText(raw []byte) string {
	raw = bytes.ReplaceAll(withoutPart(raw), []byte{0}, nil)
	if utf8.Valid(raw) {
		return string(raw)
	}
	return shorten(string(bytes.ToValidUTF8(raw, []byte("\uFFFD"))), maxResponse)
}

// withoutPart cuts off a character at the end that is not complete.
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

// shorten cuts valid UTF-8 between characters, to at most most bytes.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

const maxDetail = 500 // bytes

// plain makes one line of readable text of what others have said: a name server, a certificate, a line of an answer.
func plain(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}
