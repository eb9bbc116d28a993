package form

import (
	"encoding/json"

	"itemcast/internal/browse/jsontree"
)

// mergePatch returns the merge patch (RFC 7396) that turns one value into another: a member that is gone is null.
func mergePatch(from, to json.RawMessage) json.RawMessage {
	before, errBefore := jsontree.Parse(from)
	after, errAfter := jsontree.Parse(to)
	if errBefore != nil || errAfter != nil {
		return to
	}
	return json.RawMessage(jsontree.Encode(patchOf(before, after)))
}

func patchOf(from, to any) any {
	before, wasObject := from.(*jsontree.Object)
	after, isObject := to.(*jsontree.Object)
	if !wasObject || !isObject {
		return to
	}
	patch := jsontree.New()
	for _, name := range before.Names() {
		if !after.Has(name) {
			patch.Set(name, nil)
		}
	}
	for _, name := range after.Names() {
		was, is := before.Get(name), after.Get(name)
		if !before.Has(name) || jsontree.Encode(was) != jsontree.Encode(is) {
			patch.Set(name, patchOf(was, is))
		}
	}
	return patch
}
