package item

import (
	"encoding/json"

	"itemcast/internal/plainjson"
	"itemcast/internal/plaintext"
)

// composed returns the item with its text composed, as apply sets it. An item that an earlier version stored may have
// text that is not. URLs and client data stay as they are.
func (i *Item) composed() (*Item, error) {
	c := *i
	c.Name, c.Description = plaintext.Composed(i.Name), plaintext.Composed(i.Description)
	c.Producer = composedOrNil(i.Producer)
	c.Tags = cleanTags(i.Tags)
	if plaintext.IsComposed(string(i.Metadata)) {
		return &c, nil
	}
	values, err := decodeObject(i.Metadata)
	if err != nil {
		return nil, err
	}
	composeValues(values)
	c.Metadata, err = encodeObject(values)
	return &c, err
}

func composedOrNil(text *string) *string {
	if text == nil || plaintext.IsComposed(*text) {
		return text
	}
	return new(plaintext.Composed(*text))
}

func composeValues(values map[string]any) {
	for key, value := range values {
		if text, ok := value.(string); ok {
			values[key] = plaintext.Composed(text)
		}
	}
}

// encodeObject returns an object with sorted keys.
func encodeObject(values map[string]any) (json.RawMessage, error) { return plainjson.Marshal(values) }

// composed returns the filter with its text composed, as items have it.
func (f Filter) composed() Filter {
	f.Search = plaintext.Composed(f.Search)
	f.Tags = composedAll(f.Tags)
	f.WorkflowStatuses = composedAll(f.WorkflowStatuses)
	if f.Metadata != nil {
		metadata := make(map[string]string, len(f.Metadata))
		for key, value := range f.Metadata {
			metadata[key] = plaintext.Composed(value)
		}
		f.Metadata = metadata
	}
	return f
}

func composedAll(texts []string) []string {
	if texts == nil {
		return nil
	}
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = plaintext.Composed(text)
	}
	return all
}

// compose composes the field's text.
func (f *Field) compose() {
	f.Label, f.Description = plaintext.Composed(f.Label), plaintext.Composed(f.Description)
	f.Choices = composedAll(f.Choices)
}
