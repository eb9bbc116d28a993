package strictjson

import "strings"

// maxToken limits how much of the input a fault repeats, in bytes: a hundred faults below a name of half a megabyte
// would make a response far larger than its request.
const maxToken = 128

const hex = "0123456789ABCDEF"

// Pointer returns the JSON Pointer of a path of names and indices, as a URI fragment (RFC 6901 §6): "#/tags/3". It ends
// before a name of more than 128 bytes.
func Pointer(tokens ...string) string {
	var b strings.Builder
	b.WriteByte('#')
	for _, token := range tokens {
		if len(token) > maxToken {
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

// inFragment reports whether a fragment may contain a character unescaped (RFC 3986 §3.5).
func inFragment(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("-._~!$&'()*+,;=:@?", c) >= 0
}
