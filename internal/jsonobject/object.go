// Package jsonobject splits JSON objects into members, joins members to objects, and compares objects. Members retain
// their order and the bytes of their names and values.
//
// Package strictjson has checked its input: objects have no duplicate names. The package must not know what an object
// means.
package jsonobject

import (
	"bytes"
	"encoding/json"
	"errors"

	"itemcast/internal/plainjson"
)

// Member is a member of an object. Encode omits one whose value is nil.
type Member struct {
	Name  string
	Value json.RawMessage

	quoted []byte // the name as Members found it, with its quotes and escapes
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
		before := decoder.InputOffset()
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		quoted := bytes.TrimLeft(raw[before:decoder.InputOffset()], ", \t\r\n")
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		text, _ := name.(string)
		all = append(all, Member{Name: text, Value: value, quoted: quoted})
	}
	_, err := decoder.Token()
	return all, err
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
		name := m.quoted
		if name == nil {
			var err error
			if name, err = plainjson.Marshal(m.Name); err != nil {
				return nil, err
			}
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
