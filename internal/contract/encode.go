package contract

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml"
)

func encodeYAML(document yaml.MapSlice) ([]byte, error) {
	return yaml.MarshalWithOptions(document, yaml.Indent(2), yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
}

// encodeJSON keeps the order of the maps, as encodeYAML does.
func encodeJSON(document yaml.MapSlice) ([]byte, error) {
	var out bytes.Buffer
	if err := encodeNode(jsontext.NewEncoder(&out), document); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

func encodeNode(out *jsontext.Encoder, node any) error {
	switch node := node.(type) {
	case yaml.MapSlice:
		if err := out.WriteToken(jsontext.BeginObject); err != nil {
			return err
		}
		for _, item := range node {
			if err := out.WriteToken(jsontext.String(fmt.Sprint(item.Key))); err != nil {
				return err
			}
			if err := encodeNode(out, item.Value); err != nil {
				return err
			}
		}
		return out.WriteToken(jsontext.EndObject)
	case []any:
		if err := out.WriteToken(jsontext.BeginArray); err != nil {
			return err
		}
		for _, element := range node {
			if err := encodeNode(out, element); err != nil {
				return err
			}
		}
		return out.WriteToken(jsontext.EndArray)
	default:
		scalar, err := json.Marshal(node)
		if err != nil {
			return err
		}
		return out.WriteValue(scalar)
	}
}
