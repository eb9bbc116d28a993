package mergepatch

import (
	"fmt"
	"strings"
	"unicode"

	"itemcast/internal/plainjson"
)

// FromInput encodes an input object of GraphQL as a patch. It has the fields that the client has given, under their
// names in the OpenAPI document (roleIds becomes role_ids). The values must have that document's form already.
func FromInput(input map[string]any) ([]byte, error) {
	patch := make(map[string]any, len(input))
	for name, value := range input {
		patch[snakeCase(name)] = value
	}
	raw, err := plainjson.Marshal(patch)
	if err != nil {
		return nil, fmt.Errorf("encode an input: %w", err)
	}
	return raw, nil
}

func snakeCase(name string) string {
	var snake strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			snake.WriteByte('_')
		}
		snake.WriteRune(unicode.ToLower(r))
	}
	return snake.String()
}
