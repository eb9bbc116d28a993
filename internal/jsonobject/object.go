// Package jsonobject splits JSON objects into members, and joins members to objects. Members retain their order and the
// bytes of their values.
//
// Package strictjson has checked its input: objects have no duplicate names. The package must not know what an object
// means.
package jsonobject

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Member is a member of an object. Encode omits one whose value is nil.
type Member struct {
	Name  string
	Value json.RawMessage
}

// ErrNoObject reports a value that is not an object.
var ErrNoObject = errors.New("not an object")

// Members returns the members of an object. Errors: ErrNoObject, and those of encoding/json. It ignores text after the
// object.
func Members(raw json.RawMessage) ([]Member, error) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '{' {
		return nil, ErrNoObject
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var all []Member
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		text, _ := name.(string)
		all = append(all, Member{Name: text, Value: value})
	}
	_, err := decoder.Token()
	return all, err
}

// EncodeValue returns the JSON of a value without white space. Unlike json.Marshal it writes <, > and & as they are,
// also those in a json.RawMessage.
func EncodeValue(value any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Encode returns an object of the members, without white space between them. It does not check that the values are
// JSON.
func Encode(all []Member) (json.RawMessage, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for _, m := range all {
		if m.Value == nil {
			continue
		}
		name, err := EncodeValue(m.Name)
		if err != nil {
			return nil, err
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(m.Value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
