package node_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// object is a JSON object.
type object map[string]any

func (o object) at(path ...string) object {
	var value any = map[string]any(o)
	for _, name := range path {
		of, _ := value.(map[string]any)
		value = of[name]
	}
	of, _ := value.(map[string]any)
	return of
}

// body returns a minimal body that fits an operation.
func (o object) body(operation map[string]any) (mediaType, body string) {
	contents := object(operation).at("requestBody", "content")
	if _, ok := contents["application/x-ndjson"]; ok { // the import, which takes other types too
		return "application/x-ndjson", `{"name":"walked"}`
	}
	if len(contents) == 0 {
		return "", ""
	}
	mediaType = slices.Min(slices.Collect(maps.Keys(contents)))
	of, _ := contents[mediaType].(map[string]any)
	schema, _ := of["schema"].(map[string]any)
	raw, err := json.Marshal(o.sample(schema))
	if err != nil {
		panic(err)
	}
	return mediaType, string(raw)
}

func (o object) sample(schema map[string]any) any {
	if ref, ok := schema["$ref"].(string); ok {
		return o.sample(o.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...))
	}
	for _, several := range []string{"allOf", "anyOf", "oneOf"} {
		if of, ok := schema[several].([]any); ok {
			return o.sample(of[0].(map[string]any))
		}
	}
	for _, values := range []string{"examples", "enum"} {
		if of, ok := schema[values].([]any); ok && len(of) > 0 {
			return of[0]
		}
	}
	kind := schema["type"]
	if several, ok := kind.([]any); ok {
		kind = several[0]
	}
	switch kind {
	case "object":
		sample := map[string]any{}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			sample[name.(string)] = o.sample(object(schema).at("properties", name.(string)))
		}
		return sample
	case "array":
		if least, ok := schema["minItems"].(float64); ok && least > 0 {
			return []any{o.sample(object(schema).at("items"))}
		}
		return []any{}
	case "integer", "number":
		return 1
	case "boolean":
		return true
	}
	switch schema["format"] {
	case "uuid":
		return uuid.NewString()
	case "uri":
		return "https://example.com/"
	case "date-time":
		return "2026-01-01T00:00:00Z"
	}
	return "x"
}
