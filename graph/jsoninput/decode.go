package jsoninput

import (
	"encoding/json"
	"errors"

	"itemcast/internal/plainjson"
)

var errValue = errors.New("must be a JSON value")

// Decode returns the JSON of an argument that Rule or Variables has prepared. It does not check the JSON.
func Decode(value any) (json.RawMessage, error) {
	text, given, err := appendPart(nil, value)
	if err == nil && !given {
		err = errValue
	}
	return text, err
}

// appendPart appends a part of a literal. given is false for a variable without a value.
func appendPart(to []byte, part any) (text []byte, given bool, err error) {
	switch part := part.(type) {
	case json.RawMessage: // a variable of the type JSON
		return append(to, part...), true, nil
	case string:
		return append(to, part...), true, nil
	case map[string]any:
		value, given := part["value"]
		if !given {
			return to, false, nil
		}
		encoded, err := plainjson.Marshal(value)
		return append(to, encoded...), true, err
	case []any:
		if len(part) > 0 && part[0] == "{" {
			text, err = appendMembers(to, part[1:])
			return text, true, err
		}
		if len(part) > 0 && part[0] == "[" {
			text, err = appendElements(to, part[1:])
			return text, true, err
		}
	}
	return to, false, errValue
}

// appendMembers appends an object, given its names and values in turn. It leaves out members whose variable has no
// value, as in an input object (GraphQL specification, October 2021, §3.10).
func appendMembers(to []byte, parts []any) ([]byte, error) {
	to = append(to, '{')
	separator := ""
	for n := 0; n+1 < len(parts); n += 2 {
		name, ok := parts[n].(string)
		if !ok {
			return to, errValue
		}
		value, given, err := appendPart(nil, parts[n+1])
		if err != nil {
			return to, err
		}
		if given {
			to = append(append(append(append(to, separator...), name...), ':'), value...)
			separator = ","
		}
	}
	return append(to, '}'), nil
}

// appendElements appends a list. A variable without a value is null in it.
func appendElements(to []byte, parts []any) ([]byte, error) {
	to = append(to, '[')
	for n, part := range parts {
		if n > 0 {
			to = append(to, ',')
		}
		var given bool
		var err error
		if to, given, err = appendPart(to, part); err != nil {
			return to, err
		}
		if !given {
			to = append(to, "null"...)
		}
	}
	return append(to, ']'), nil
}
