package egress

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxURL is the maximum length of a URL, in characters.
const MaxURL = 2000

// Limits of a DNS name (RFC 1035 §2.3.4), in characters, without a dot at the end.
const (
	maxName  = 253
	maxLabel = 63
)

// CheckURL checks the URL of an endpoint, and returns the form in which it is stored and requested (normalize.go). It
// returns a fault when the URL is malformed. It returns a refusal when the URL names an address or a port that is not
// allowed (a *Refusal), or an address in a form that programs interpret differently. Both texts continue a sentence
// that begins with the name of the URL. A host name is not looked up: its addresses can change.
func (p Policy) CheckURL(raw string) (normal, fault string, refusal error) {
	u, fault := parseURL(raw)
	if fault != "" {
		return "", fault, nil
	}
	port, fault := portOf(u)
	if fault != "" {
		return "", fault, nil
	}
	address, canonical := literal(u.Hostname())
	if fault := faultOfHost(u, address); fault != "" {
		return "", fault, nil
	}
	if !address.IsValid() {
		refusal = p.checkPort(address, port)
	} else if refusal = p.Check(netip.AddrPortFrom(address, port)); refusal == nil && !canonical {
		refusal = fmt.Errorf("must write its address as %s", address)
	}
	if refusal != nil {
		return "", "", refusal
	}
	normal, fault = normalize(raw, u)
	return normal, fault, nil
}

var malformedEscape = regexp.MustCompile(`%(?:$|[^0-9A-Fa-f]|.(?:$|[^0-9A-Fa-f]))`)

func parseURL(raw string) (u *url.URL, fault string) {
	if utf8.RuneCountInString(raw) > MaxURL {
		return nil, fmt.Sprintf("must have at most %d characters", MaxURL)
	}
	forbidden := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }
	if strings.ContainsFunc(raw, forbidden) {
		return nil, "must not contain spaces or control characters; write a space as %20"
	}
	if malformedEscape.MatchString(raw) {
		return nil, "must have two hexadecimal digits after each %; write % itself as %25"
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, "must be a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "must begin with http:// or https://"
	case u.Hostname() == "":
		return nil, "must name a host"
	case u.User != nil:
		return nil, "must not contain credentials; verify the signature instead"
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, "must not have a fragment"
	}
	return u, ""
}

func portOf(u *url.URL) (port uint16, fault string) {
	switch text := u.Port(); {
	case text == "" && u.Scheme == "https":
		return 443, ""
	case text == "":
		return 80, ""
	default:
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return 0, "must have a port from 1 to 65535, or none"
		}
		return uint16(n), ""
	}
}

// faultOfHost returns what is wrong with the host of u. address is the parsed host; it is invalid for a name.
func faultOfHost(u *url.URL, address netip.Addr) string {
	host := u.Hostname()
	switch {
	case strings.HasPrefix(u.Host, "[") != address.Is6():
		return "must have brackets around an IPv6 address, and nowhere else"
	case address.Zone() != "" && !address.IsLinkLocalUnicast():
		return "must not have a zone, unless the address is link-local"
	case address.IsValid():
		return ""
	}
	for i := range len(host) {
		switch c := host[i]; {
		case c >= utf8.RuneSelf:
			if asciiName(host) == "" {
				return "must name its host in ASCII; write an internationalized name in the form that begins with xn--"
			}
			return ""
		case !nameByte(c):
			return "must name its host with letters, digits, hyphens, underscores and dots only"
		}
	}
	name := strings.TrimSuffix(host, ".")
	if len(name) > maxName {
		return fmt.Sprintf("must name a host of at most %d characters", maxName)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabel {
			return fmt.Sprintf("must name a host with 1 to %d characters between its dots", maxLabel)
		}
	}
	if endsInNumber(host) {
		return "must name a host; this is not an address, and a name does not end in a number"
	}
	return ""
}

// nameByte reports whether c is allowed in a host name. RFC 1123 does not allow the underscore, but names of
// containers have it.
func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}
