package item

import (
	"encoding/json"
	"slices"

	"itemcast/internal/mergepatch"
)

// applyPatch returns an item's input with a merge patch applied. decode reads the part that the patch names; the rest
// was checked when it was written. Errors: INVALID_INPUT if the patch is not an object, and decode's.
func applyPatch(i *Item, patch json.RawMessage, decode func([]byte) (ItemInput, error)) (draft, error) {
	merge := mergepatch.Merge[ItemInput]{Decode: decode, Needed: []string{"name"}}
	input, named, err := merge.Apply(i.input(), patch)
	return draft{
		ItemInput: input, keepMetadata: !slices.Contains(named, "metadata"),
		keepMedia: !slices.Contains(named, "assets") && !slices.Contains(named, "snapshots"),
	}, err
}
