package item

import (
	"encoding/json"
	"fmt"
	"reflect"

	"itemcast/internal/jsonobject"
	"itemcast/internal/problem"
)

var inputNames = jsonNames[ItemInput]()

// applyPatch returns an item's input with a merge patch applied. Only the fields that the patch names are encoded,
// merged and decoded by decode; the others were checked when they were written, and stay. Errors: INVALID_INPUT if the
// patch is not an object, and decode's.
func applyPatch(i *Item, patch json.RawMessage, decode func([]byte) (ItemInput, error)) (draft, error) {
	malformed := problem.New(problem.InvalidInput, "The patch must be a JSON object.")
	members, err := jsonobject.Members(patch)
	if err != nil {
		return draft{}, malformed
	}
	named := map[string]bool{"name": true} // an input without a name would be invalid
	for _, m := range members {
		named[m.Name] = true
	}
	before, touched := i.input(), ItemInput{}
	copyFields(&touched, &before, func(name string) bool { return named[name] })
	raw, err := json.Marshal(touched)
	if err != nil {
		return draft{}, fmt.Errorf("encode input: %w", err)
	}
	if raw, err = jsonobject.Merge(raw, patch); err != nil {
		return draft{}, malformed
	}
	input, err := decode(raw)
	copyFields(&input, &before, func(name string) bool { return !named[name] })
	return draft{ItemInput: input, keepMetadata: !named["metadata"]}, err
}

// copyFields copies the fields whose JSON names are wanted.
func copyFields(to, from *ItemInput, wanted func(name string) bool) {
	target, source := reflect.ValueOf(to).Elem(), reflect.ValueOf(from).Elem()
	for n, name := range inputNames {
		if wanted(name) {
			target.Field(n).Set(source.Field(n))
		}
	}
}
