package sending

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The bounds of a user's headers. Names and values are of ASCII, so that characters are bytes.
const (
	MaxHeaders     = 20
	MaxHeaderName  = 100
	MaxHeaderValue = 2000
)

// CheckHeaders returns what is wrong with a user's headers, by name; nothing is, when it is empty. That they are too many is under the
// empty name.
func CheckHeaders(headers map[string]string) map[string]string {
	faults := make(map[string]string)
	if len(headers) > MaxHeaders {
		faults[""] = fmt.Sprintf("must be at most %d headers", MaxHeaders)
	}
	seen := make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fault := faultOfName(name)
		if fault == "" {
			fault = faultOfValue(headers[name])
		}
		if first, ok := seen[strings.ToLower(name)]; ok && fault == "" {
			fault = fmt.Sprintf("is there already as %s; names of headers are the same in upper and lower case", first)
		}
		seen[strings.ToLower(name)] = name
		if fault != "" {
			faults[name] = fault
		}
	}
	return faults
}

func faultOfName(name string) string {
	switch {
	case name == "":
		return "must have a name"
	case len(name) > MaxHeaderName:
		return fmt.Sprintf("must have a name of at most %d characters", MaxHeaderName)
	case strings.ContainsFunc(name, func(r rune) bool { return !tokenRune(r) }):
		return "must have a name of letters, digits and !#$%&'*+-.^_`|~ only"
	case reserved(name):
		return "is set by Itemcast or the connection, and cannot be given"
	}
	return ""
}

// faultOfValue wants RFC 9110, 5.5, without obs-text, which each receiver reads in an encoding of its own.
func faultOfValue(value string) string {
	switch {
	case len(value) > MaxHeaderValue:
		return fmt.Sprintf("must have a value of at most %d characters", MaxHeaderValue)
	case strings.ContainsFunc(value, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') }):
		return "must have a value of visible ASCII characters, spaces and tabs only"
	case strings.Trim(value, " \t") != value:
		return "must have a value that neither begins nor ends with a space or a tab"
	}
	return ""
}

// tokenRune is tchar of RFC 9110, 5.6.2.
func tokenRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// reservedPrefixes and reservedNames are, in lower case, of headers that are ours, that speak of the body, or that are between two ends of a
// connection (RFC 9110, 7.6.1). Credentials are not among them: they are what people add headers for.
var (
	reservedPrefixes = []string{"webhook-", "itemcast-", "content-", "proxy-"}
	reservedNames    = []string{
		"accept-encoding", "connection", "expect", "host", "http2-settings", "idempotency-key", "keep-alive", "te", "traceparent", "tracestate",
		"trailer", "transfer-encoding", "upgrade", "user-agent", "x-idempotency-key",
	}
)

func reserved(name string) bool {
	for _, prefix := range reservedPrefixes {
		if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return true
		}
	}
	return slices.ContainsFunc(reservedNames, func(r string) bool { return strings.EqualFold(r, name) })
}
