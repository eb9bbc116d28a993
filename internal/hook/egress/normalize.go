package egress

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	whatwg "github.com/nlnwa/whatwg-url/url"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// NormalizeURL returns a URL as browsers write it (WHATWG URL): other characters than ASCII percent-encoded, the scheme
// and the host in lower case, an internationalized host as xn--, no default port, no dot segments. It returns another
// text unchanged.
func NormalizeURL(raw string) string {
	u, fault := parseURL(raw)
	if fault != "" {
		return raw
	}
	normal, fault := normalize(raw, u)
	if fault != "" {
		return raw
	}
	return normal
}

// Origin returns the scheme and host of a URL, which decide who receives its requests.
func Origin(raw string) string {
	u, err := url.Parse(NormalizeURL(raw))
	if err != nil {
		return raw
	}
	return u.Scheme + "://" + u.Host
}

// Host returns the host of a URL with its port, if it has one; "" for another text.
func Host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// strict encodes what browsers leave as it is in a path or a query, and RFC 3986 does not allow: some servers refuse
// it. In a path, net/http would encode it too, but would then also decode %2F.
var strict = strings.NewReplacer("|", "%7C", "^", "%5E", "`", "%60", "{", "%7B", "}", "%7D", `\`, "%5C")

// normalize returns the normal form of a URL, which parseURL has parsed as u.
func normalize(raw string, u *url.URL) (normal, fault string) {
	_, zone, hasZone := strings.Cut(u.Hostname(), "%")
	if hasZone { // of a link-local address; browsers have none
		raw = strings.Replace(raw, "%25"+zone+"]", "]", 1)
	}
	parsed, err := whatwg.Parse(raw)
	if err != nil {
		return "", "must be a URL"
	}
	host := parsed.Host()
	if hasZone {
		host = strings.Replace(host, "]", "%25"+url.PathEscape(zone)+"]", 1)
	}
	normal = parsed.Protocol() + "//" + host + strict.Replace(parsed.Pathname()+parsed.Search())
	if utf8.RuneCountInString(normal) > MaxURL {
		return "", fmt.Sprintf("must have at most %d characters when it is percent-encoded", MaxURL)
	}
	// What has been checked must be what is requested.
	after, err := url.Parse(normal)
	if err != nil || !sameHost(u.Hostname(), after.Hostname()) {
		return "", "must be a URL"
	}
	return normal, ""
}

// sameHost reports whether a host differs from its normal form only in its way of writing.
func sameHost(raw, normal string) bool {
	if a, _ := literal(raw); a.IsValid() {
		b, _ := literal(normal)
		return a == b
	}
	return strings.EqualFold(raw, normal) || asciiName(raw) == normal
}

// asciiName returns an internationalized name in its form for DNS. It returns "" for a name that IDNA would change in
// other ways than case and composition: versions of IDNA map such characters differently, some to digits and dots.
func asciiName(name string) string {
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil {
		return ""
	}
	shown, err := idna.Lookup.ToUnicode(ascii)
	if err != nil || shown != norm.NFC.String(strings.ToLower(name)) {
		return ""
	}
	if address, _ := literal(ascii); address.IsValid() || endsInNumber(ascii) {
		return ""
	}
	return ascii
}
