package form

import (
	"encoding/json"

	"itemcast/internal/browse/jsontree"
	"itemcast/internal/browse/spec"
)

// maxSkeletonDepth bounds the objects in objects of a skeleton; a schema may contain itself.
const maxSkeletonDepth = 4

// skeleton returns the value with which the raw editor begins: the required members and those with an example.
func skeleton(s *spec.Schema, depth int) any {
	switch {
	case s.IsSecret():
		return ""
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.HasDefault && s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.Properties) > 0 && depth < maxSkeletonDepth:
		object := jsontree.New()
		for _, p := range s.Properties {
			if p.Required || len(p.Schema.Examples) > 0 {
				object.Set(p.Name, skeleton(p.Schema, depth+1))
			}
		}
		return object
	case s.Is("array"):
		return []any{}
	case s.Is("object"):
		return jsontree.New()
	case s.Is("integer"), s.Is("number"):
		return json.Number("0")
	case s.Is("boolean"):
		return false
	case s.Is("string"):
		return ""
	}
	return nil
}
