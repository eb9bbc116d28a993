package jsontree

import (
	"bytes"
	"encoding/json"

	"itemcast/internal/plainjson"
)

// Encode writes a value as compact JSON, its objects in their order, and its text as it is (package plainjson). A
// json.RawMessage is copied as it is, valid or not.
func Encode(value any) string {
	var out bytes.Buffer
	encode(&out, value)
	return out.String()
}

func encode(out *bytes.Buffer, value any) {
	switch value := value.(type) {
	case *Object:
		out.WriteByte('{')
		for i, name := range value.names {
			if i > 0 {
				out.WriteByte(',')
			}
			encode(out, name)
			out.WriteByte(':')
			encode(out, value.values[name])
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, element := range value {
			if i > 0 {
				out.WriteByte(',')
			}
			encode(out, element)
		}
		out.WriteByte(']')
	case json.RawMessage:
		out.Write(value)
	default:
		text, _ := plainjson.Marshal(value) // cannot fail for a scalar
		out.Write(text)
	}
}
