package rendered

import "bytes"

// find returns the values of an object's fields, up to the last one that is needed. The object is compact, valid JSON
// from item.Encode; find checks only that its fields are those of the shape, in order.
func (s *shape) find(values *[maxFields][]byte, object []byte, last int) (ok bool) {
	if len(object) < 2 || object[0] != '{' || last >= len(s.names) || last >= maxFields {
		return false
	}
	rest := object[1:]
	for index := range last + 1 {
		name := s.names[index]
		if index > 0 {
			if len(rest) == 0 || rest[0] != ',' {
				return false
			}
			rest = rest[1:]
		}
		if len(rest) < len(name)+4 || rest[0] != '"' || string(rest[1:1+len(name)]) != name ||
			rest[1+len(name)] != '"' || rest[2+len(name)] != ':' {
			return false
		}
		rest = rest[len(name)+3:]
		n := skip(rest)
		if n == 0 {
			return false
		}
		values[index], rest = rest[:n], rest[n:]
	}
	return true
}

// skip returns the length of the JSON value at the beginning; 0 if the value is incomplete.
func skip(json []byte) int {
	if len(json) == 0 {
		return 0
	}
	switch json[0] {
	case '"':
		return skipString(json)
	case '{', '[':
		depth := 0
		for n := 0; n < len(json); n++ {
			switch json[n] {
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return n + 1
				}
			case '"':
				length := skipString(json[n:])
				if length == 0 {
					return 0
				}
				n += length - 1
			}
		}
		return 0
	default:
		return max(0, bytes.IndexAny(json, ",}]"))
	}
}

// skipString finds the closing quote: the first one after an even number of backslashes.
func skipString(json []byte) int {
	for n := 1; ; {
		quote := bytes.IndexByte(json[n:], '"')
		if quote < 0 {
			return 0
		}
		n += quote + 1
		backslashes := 0
		for json[n-2-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return n
		}
	}
}
