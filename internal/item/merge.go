package item

import (
	"bytes"
	"encoding/json"
	"errors"
)

// mergePatch applies a merge patch (RFC 7396 §2). What the patch does not name keeps its bytes and its place; nulls that are not the
// patch's own members, such as those within an array, are values.
func mergePatch(target, patch json.RawMessage) (json.RawMessage, error) {
	changes, err := members(patch)
	if errors.Is(err, errNoObject) {
		return patch, nil
	}
	if err != nil {
		return nil, err
	}
	merged, err := members(target)
	if err != nil && !errors.Is(err, errNoObject) {
		return nil, err
	}
	place := make(map[string]int, len(merged))
	for at, m := range merged {
		place[m.name] = at
	}
	for _, change := range changes {
		at, ok := place[change.name]
		if !ok {
			at = len(merged)
			place[change.name], merged = at, append(merged, member{name: change.name})
		}
		if string(change.value) == "null" {
			merged[at].value = nil
		} else if merged[at].value, err = mergePatch(merged[at].value, change.value); err != nil {
			return nil, err
		}
	}
	return encodeMembers(merged)
}

// member is a name and a value of an object; nil: it was taken out.
type member struct {
	name  string
	value json.RawMessage
}

var errNoObject = errors.New("not an object")

func members(raw json.RawMessage) ([]member, error) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '{' {
		return nil, errNoObject
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var all []member
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
		all = append(all, member{name: text, value: value})
	}
	_, err := decoder.Token()
	return all, err
}

func encodeMembers(all []member) (json.RawMessage, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for _, m := range all {
		if m.value == nil {
			continue
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(m.value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
