package jsonobject

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Difference returns the members in which the JSON objects of two values of one type differ, each with its value before
// and after.
func Difference[T any](before, after T) (map[string][2]json.RawMessage, error) {
	old, err := membersOf(before)
	if err != nil {
		return nil, err
	}
	members, err := membersOf(after)
	if err != nil {
		return nil, err
	}
	differing := map[string][2]json.RawMessage{}
	for name, value := range members {
		if !bytes.Equal(value, old[name]) {
			differing[name] = [2]json.RawMessage{old[name], value}
		}
	}
	return differing, nil
}

func membersOf(value any) (members map[string]json.RawMessage, err error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode an object: %w", err)
	}
	err = json.Unmarshal(raw, &members)
	return members, err
}
