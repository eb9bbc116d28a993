package egress

import (
	"net/netip"
	"strconv"
	"strings"
)

// literal parses a host that is an address. The address is invalid when the host is a name. Canonical is false for
// forms that Go does not dial but that other software reads as IPv4 (WHATWG URL, "IPv4 parser", after inet_aton):
// fewer than four parts, where the last part fills the remaining bytes; octal and hexadecimal numbers; a dot at the
// end.
func literal(host string) (address netip.Addr, canonical bool) {
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
		text, base = "0"+hexadecimal, 16 // 0x alone is zero
	} else if len(text) > 1 && text[0] == '0' {
		base = 8
	}
	return strconv.ParseUint(text, base, bits)
}

// endsInNumber reports whether the last label makes a host an address (WHATWG URL, "ends in a number checker"). No
// DNS name ends so: top-level domains are not numeric (RFC 3696 §2).
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last != "" && strings.Trim(last, "0123456789") == "" {
		return true
	}
	hexadecimal, ok := strings.CutPrefix(strings.ToLower(last), "0x")
	return ok && strings.Trim(hexadecimal, "0123456789abcdef") == ""
}
