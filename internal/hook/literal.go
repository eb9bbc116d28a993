package hook

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// refusalOfURL returns why the host of a URL may not be reached, if it is an address and no name; empty when it may.
func refusalOfURL(raw string, allowed []netip.Prefix) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	address, usual := literal(u.Hostname())
	if !address.IsValid() {
		return ""
	}
	if err := checkAddress(address, allowed); err != nil {
		return err.Error()
	}
	if !usual {
		return fmt.Sprintf("must write the address of its host as %s", address)
	}
	return ""
}

// literal reads a host that is an address; not valid: it is a name. Usual is false for the forms that we do not dial but that others read
// as IPv4 (WHATWG URL, "IPv4 parser", after inet_aton): fewer parts than four, of which the last fills what is left; octal and hexadecimal.
func literal(host string) (address netip.Addr, usual bool) {
	if address, err := netip.ParseAddr(host); err == nil {
		return address, true
	}
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var bits uint64
	for i, part := range parts {
		size := 8
		if i == len(parts)-1 {
			size = 8 * (5 - len(parts))
		}
		n, err := parseNumber(part, size)
		if err != nil {
			return netip.Addr{}, false
		}
		bits = bits<<size | n
	}
	return netip.AddrFrom4([4]byte{byte(bits >> 24), byte(bits >> 16), byte(bits >> 8), byte(bits)}), false
}

func parseNumber(text string, bits int) (uint64, error) {
	base := 10
	if hexadecimal, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		text, base = hexadecimal, 16
	} else if len(text) > 1 && text[0] == '0' {
		base = 8
	}
	return strconv.ParseUint(text, base, bits)
}
