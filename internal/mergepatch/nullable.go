package mergepatch

import (
	"encoding/json"
	"reflect"
)

// Nullable is a field of a patch that null empties. The zero Nullable is a field that the patch does not name.
type Nullable[T any] struct {
	Named bool
	Value *T // nil for null
}

// Set returns a field that the patch names; nil empties it.
func Set[T any](value *T) Nullable[T] { return Nullable[T]{Named: true, Value: value} }

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Nullable[T]) UnmarshalJSON(raw []byte) error {
	n.Named = true
	return json.Unmarshal(raw, &n.Value)
}

func (Nullable[T]) takesNull() {}

// takesNull reports whether a field of a struct type is Nullable.
func takesNull(t reflect.Type, name string) bool {
	for n, of := range jsonNames(t) {
		if of == name {
			return t.Field(n).Type.Implements(reflect.TypeFor[interface{ takesNull() }]())
		}
	}
	return false
}
