package mergepatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"itemcast/internal/jsonobject"
	"itemcast/internal/plainjson"
)

// Merge applies patches to a T, a struct with JSON names.
type Merge[T any] struct {
	// Decode decodes the merged JSON, which has the fields that the patch names and the Needed ones. Nil:
	// encoding/json.
	Decode func(merged []byte) (T, error)
	// Needed are the fields that Decode requires.
	Needed []string
	// Replaced are the objects that a patch replaces, instead of merging into them.
	Replaced []string
}

// Apply merges a patch into before. It also returns the names of the fields in the patch; it neither encodes nor
// decodes the others. Errors: INVALID_INPUT for a patch that is not an object, and those of Decode.
func (m Merge[T]) Apply(before T, patch []byte) (after T, named []string, err error) {
	changes, err := jsonobject.Members(patch)
	if err != nil {
		return after, nil, errForm()
	}
	for _, change := range changes {
		named = append(named, change.Name)
	}
	merging := append(slices.Clone(named), m.Needed...)
	var old T
	copyFields(&old, &before, func(name string) bool {
		return slices.Contains(merging, name) && !slices.Contains(m.Replaced, name)
	})
	target, err := plainjson.Marshal(old)
	if err != nil {
		return after, nil, fmt.Errorf("encode the fields before the patch: %w", err)
	}
	merged, err := merge(target, patch)
	if err != nil {
		return after, nil, errForm()
	}
	decode := m.Decode
	if decode == nil {
		decode = decodeJSON[T]
	}
	after, err = decode(merged)
	copyFields(&after, &before, func(name string) bool { return !slices.Contains(merging, name) })
	return after, named, err
}

func decodeJSON[T any](merged []byte) (value T, err error) {
	if err := json.Unmarshal(merged, &value); err != nil {
		return value, errForm()
	}
	return value, nil
}

// copyFields copies the fields whose JSON names are wanted.
func copyFields[T any](to, from *T, wanted func(name string) bool) {
	target, source := reflect.ValueOf(to).Elem(), reflect.ValueOf(from).Elem()
	for n, name := range jsonNames(target.Type()) {
		if wanted(name) {
			target.Field(n).Set(source.Field(n))
		}
	}
}

var namesByType sync.Map // of reflect.Type: []string

func jsonNames(t reflect.Type) []string {
	if names, ok := namesByType.Load(t); ok {
		return names.([]string)
	}
	names := make([]string, t.NumField())
	for n := range names {
		names[n], _, _ = strings.Cut(t.Field(n).Tag.Get("json"), ",")
	}
	namesByType.Store(t, names)
	return names
}

// merge is the function MergePatch of RFC 7396 §2. Members that the patch does not name retain their bytes and their
// place. A null that is not a member of the patch's objects, such as one in an array, is a value.
func merge(target, patch json.RawMessage) (json.RawMessage, error) {
	changes, err := jsonobject.Members(patch)
	if errors.Is(err, jsonobject.ErrNoObject) {
		return patch, nil
	}
	if err != nil {
		return nil, err
	}
	merged, err := jsonobject.Members(target)
	if err != nil && !errors.Is(err, jsonobject.ErrNoObject) {
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
			added := change
			added.Value = nil
			place[change.Name], merged = at, append(merged, added)
		}
		if string(change.Value) == "null" {
			merged[at].Value = nil
		} else if merged[at].Value, err = merge(merged[at].Value, change.Value); err != nil {
			return nil, err
		}
	}
	return jsonobject.Encode(merged)
}
