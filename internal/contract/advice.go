package contract

import (
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"itemcast/internal/nearest"
)

// advice says what an object could have instead of an unknown member, or as a member that it lacks. It names only what
// is in the contract. "" for none.
func (s *Schema) advice(v violation) string {
	if v.object == "" || len(v.at) == 0 {
		return ""
	}
	s.objectsOnce.Do(func() {
		s.objects = map[string]*jsonschema.Schema{}
		collect(s.compiled, s.objects)
	})
	object, name := s.objects[v.object], v.at[len(v.at)-1]
	switch {
	case object == nil:
		return ""
	case v.isUnknown:
		return nearest.DidYouMean(name, slices.Collect(maps.Keys(object.Properties)))
	}
	if values := enumOf(object.Properties[name]); len(values) > 0 {
		return ": one of " + list(values)
	}
	return ""
}

// collect adds a schema and those that it consists of, by location.
func collect(s *jsonschema.Schema, into map[string]*jsonschema.Schema) {
	if s == nil || into[s.Location] != nil {
		return
	}
	into[s.Location] = s
	parts := slices.Concat([]*jsonschema.Schema{s.Ref, s.Items2020}, s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems,
		slices.Collect(maps.Values(s.Properties)))
	if values, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		parts = append(parts, values)
	}
	for _, part := range parts {
		collect(part, into)
	}
}

// enumOf returns the values that a schema allows; nil for any.
func enumOf(s *jsonschema.Schema) []any {
	for s != nil {
		if s.Enum != nil {
			return s.Enum.Values
		}
		s = s.Ref
	}
	return nil
}
