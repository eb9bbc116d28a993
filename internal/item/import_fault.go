package item

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

const (
	unknownImported = "must be a metadata field of this account: leave it out, or let the import create the field " +
		"(--create-fields; over REST create_fields=true)"
	unknownList = "unknown field; to import the items of this list, import the list itself (such as jq .results FILE)"
)

// advised says in the faults of a rejected entry what an import can do that another write cannot: create the fields of
// unknown metadata, and read the array that an answer of an API has around its items.
func (r *importRun) advised(rejected *problem.Error, entry []byte) *problem.Error {
	faults := slices.Clone(rejected.Faults)
	var members map[string]json.RawMessage
	_ = json.Unmarshal(entry, &members) // an entry that is no object has no unknown members
	for n, fault := range faults {
		switch {
		case fault.Detail == unknownField && !r.options.CreateFields:
			faults[n].Detail = unknownImported
		case strings.HasPrefix(fault.Detail, "unknown field") && isListOfObjects(members, fault.Pointer):
			faults[n].Detail = strings.Replace(unknownList, ".results", "."+strings.TrimPrefix(fault.Pointer, "#/"), 1)
		}
	}
	if slices.Equal(faults, rejected.Faults) {
		return rejected
	}
	return problem.Invalid(rejected.Code, faults...)
}

// isListOfObjects reports whether the member at a pointer is an array of objects.
func isListOfObjects(members map[string]json.RawMessage, pointer string) bool {
	for name, value := range members {
		if strictjson.Pointer(name) == pointer {
			var list []json.RawMessage
			return json.Unmarshal(value, &list) == nil && len(list) > 0 && bytes.HasPrefix(list[0], []byte("{"))
		}
	}
	return false
}
