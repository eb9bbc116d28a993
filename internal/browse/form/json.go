package form

import (
	"bytes"
	"encoding/json"
)

func isNull(value json.RawMessage) bool { return len(value) == 0 || string(value) == "null" }

// isSame reports whether two values are the same but for white space.
func isSame(a, b json.RawMessage) bool {
	if isNull(a) || isNull(b) {
		return isNull(a) == isNull(b)
	}
	var left, right bytes.Buffer
	return json.Compact(&left, a) == nil && json.Compact(&right, b) == nil && bytes.Equal(left.Bytes(), right.Bytes())
}

// indented lays JSON out for an editor.
func indented(value []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, value, "", "  ") != nil {
		return string(value)
	}
	return out.String()
}

func decode[T any](value json.RawMessage) (decoded T, ok bool) {
	err := json.Unmarshal(value, &decoded)
	return decoded, err == nil
}
