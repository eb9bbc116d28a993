package item

import (
	"encoding/json"
	"maps"
	"slices"

	"itemcast/internal/search"
)

// words returns the words that the item is found by: those of its name, tags, description and metadata.
func (i *Item) words() *search.Index {
	x := new(search.Index)
	x.Add(search.Name, i.Name)
	for _, tag := range i.Tags {
		x.Add(search.Tag, tag)
	}
	x.Add(search.Other, i.Description)
	values, err := decodeObject(i.Metadata)
	if err != nil {
		return x // an item always has an object
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		switch value := values[key].(type) {
		case string:
			x.Add(search.Other, value)
		case json.Number:
			x.Add(search.Other, string(value))
		}
	}
	return x
}

// haveWords are the fields that words reads.
var haveWords = []string{"name", "description", "tags", "metadata"}

// changedWords returns the words to store after a change of fields; nil if the stored ones still apply.
func (i *Item) changedWords(fields []string) *string {
	if !slices.ContainsFunc(fields, func(field string) bool { return slices.Contains(haveWords, field) }) {
		return nil
	}
	return new(i.words().String())
}
