package strictjson

import (
	"strings"
)

// longestToken bounds how much of a client's own names a fault repeats: a hundred faults below a name of half a megabyte would make an
// answer far bigger than its request.
const longestToken = 128

const hex = "0123456789ABCDEF"

// Pointer is the JSON Pointer (RFC 6901, section 6: as a URI fragment) of the place that the names and indices lead to: "#/tags/3".
// It stops above a name that is longer than 128 bytes.
func Pointer(tokens ...string) string {
	var b strings.Builder
	b.WriteByte('#')
	for _, token := range tokens {
		if len(token) > longestToken {
			break
		}
		b.WriteByte('/')
		for i := range len(token) {
			switch c := token[i]; {
			case c == '~':
				b.WriteString("~0")
			case c == '/':
				b.WriteString("~1")
			case inFragment(c):
				b.WriteByte(c)
			default:
				b.WriteByte('%')
				b.WriteByte(hex[c>>4])
				b.WriteByte(hex[c&15])
			}
		}
	}
	return b.String()
}

// inFragment reports whether RFC 3986 lets a character stand in a fragment as it is.
func inFragment(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@?", c) >= 0
}
