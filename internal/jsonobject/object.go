// Package jsonobject takes JSON objects apart into members that keep their order and their bytes, and applies merge patches to them.
//
// What is read has passed strictjson: no name comes twice. It must not know what an object means.
package jsonobject

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Merge applies a merge patch (RFC 7396 §2). What the patch does not name keeps its bytes and its place; nulls that are not the
// patch's own members, such as those within an array, are values.
func Merge(target, patch json.RawMessage) (json.RawMessage, error) {
	changes, err := Members(patch)
	if errors.Is(err, ErrNoObject) {
		return patch, nil
	}
	if err != nil {
		return nil, err
	}
	merged, err := Members(target)
	if err != nil && !errors.Is(err, ErrNoObject) {
		return nil, err
	}
	place := make(map[string]int, len(merged))
	for at, m := range merged {
		place[m.Name] = at
	}
	for _, change := range changes {
		at, ok := place[change.Name]
		if !ok {
			at = len(merged)
			place[change.Name], merged = at, append(merged, Member{Name: change.Name})
		}
		if string(change.Value) == "null" {
			merged[at].Value = nil
		} else if merged[at].Value, err = Merge(merged[at].Value, change.Value); err != nil {
			return nil, err
		}
	}
	return Encode(merged)
}

// Member is a name and a value of an object; nil: it was taken out.
type Member struct {
	Name  string
	Value json.RawMessage
}

// ErrNoObject is of a value that is none.
var ErrNoObject = errors.New("not an object")

// Members takes an object apart. Error: ErrNoObject.
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

// Encode puts an object together, less what was taken out.
func Encode(all []Member) (json.RawMessage, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for _, m := range all {
		if m.Value == nil {
			continue
		}
		name, err := json.Marshal(m.Name)
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
