package mergepatch

import (
	"bytes"
	"encoding/json"
	"reflect"

	"itemcast/internal/jsonobject"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// Read decodes a patch into a T, a struct of pointers and [Nullable] fields with JSON names. Error: INVALID_INPUT, with
// a fault for every null of another field, and for a patch of another form.
func Read[T any](patch []byte) (T, error) {
	var read T
	members, err := jsonobject.Members(patch)
	if err != nil {
		return read, errForm()
	}
	var faults problem.Faults
	for _, m := range members {
		if string(m.Value) == "null" && !takesNull(reflect.TypeFor[T](), m.Name) {
			faults.At(strictjson.Pointer(m.Name), "must not be null")
		}
	}
	if err := faults.Err(problem.InvalidInput); err != nil {
		return read, err
	}
	decoder := json.NewDecoder(bytes.NewReader(patch))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return read, errForm()
	}
	return read, nil
}

func errForm() error {
	return problem.New(problem.InvalidInput, "The patch must be a JSON object with fields of this resource.")
}
