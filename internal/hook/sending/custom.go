package sending

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits of a user's headers. Names and values are ASCII, so characters are bytes.
const (
	MaxHeaders     = 20
	MaxHeaderName  = 100
	MaxHeaderValue = 2000
)

// CheckHeaders returns what is wrong with a user's headers, by name; the empty name stands for all of them. The map is
// empty when nothing is wrong.
func CheckHeaders(headers map[string]string) map[string]string {
	faults := make(map[string]string)
	if len(headers) > MaxHeaders {
		faults[""] = fmt.Sprintf("must have at most %d entries", MaxHeaders)
	}
	seen := make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fault := faultOfName(name)
		if fault == "" {
			fault = faultOfValue(headers[name])
		}
		if first, ok := seen[strings.ToLower(name)]; ok && fault == "" {
			fault = fmt.Sprintf("must not repeat %s; upper and lower case do not distinguish headers", first)
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
		return "is set by Itemcast or the connection, and cannot be changed"
	}
	return ""
}

// faultOfValue allows RFC 9110 §5.5 without obs-text, whose encoding is not defined.
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

// tokenRune is tchar of RFC 9110 §5.6.2.
func tokenRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// reservedPrefixes and reservedNames, in lower case, are headers that Itemcast sets, that describe the body, or
// that belong to the connection (RFC 9110 §7.6.1). Credentials are not among them: users add headers to send
// credentials.
var (
	reservedPrefixes = []string{"webhook-", "itemcast-", "content-", "proxy-"}
	reservedNames    = []string{
		"accept-encoding", "connection", "expect", "host", "http2-settings", "idempotency-key", "keep-alive", "te",
		"traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-idempotency-key",
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
