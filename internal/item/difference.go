package item

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"itemcast/internal/plainjson"
)

var documentNames = jsonNames[Item]()

// CanChange reports whether a document has a field of this name that a change can alter on its own. Fields such as the
// revision only follow from other changes.
func CanChange(field string) bool {
	return slices.Contains(documentNames, field) &&
		!slices.Contains([]string{"id", "url", "created_by", "created_at", "updated_at", "revision"}, field)
}

// jsonNames returns the JSON names of a struct's fields, in declared order.
func jsonNames[T any]() (names []string) {
	t := reflect.TypeFor[T]()
	for n := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(n).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// changedFields returns the names of the fields in which two states of an item differ, in declared order, and an object
// with their values before. The revision and updated_at are not among the names, because every change alters them. The
// object does have updated_at, because filters compare it, and the revision if the next one does not follow it.
func changedFields(before, after *Item) (names []string, previous json.RawMessage, err error) {
	var object bytes.Buffer
	vb, va := reflect.ValueOf(before).Elem(), reflect.ValueOf(after).Elem()
	for n, name := range documentNames {
		old := vb.Field(n).Interface()
		if name == "revision" || name == "updated_at" || reflect.DeepEqual(old, va.Field(n).Interface()) {
			continue
		}
		encoded, err := plainjson.Marshal(old)
		if err != nil {
			return nil, nil, fmt.Errorf("encode %s: %w", name, err)
		}
		fmt.Fprintf(&object, "%q:%s,", name, encoded)
		names = append(names, name)
	}
	if after.Revision > before.Revision { // an import restores a later one
		fmt.Fprintf(&object, `"revision":%d,`, before.Revision)
	}
	updated, err := plainjson.Marshal(before.UpdatedAt)
	if err != nil {
		return nil, nil, fmt.Errorf("encode updated_at: %w", err)
	}
	return names, fmt.Appendf(nil, `{%s"updated_at":%s}`, object.String(), updated), nil
}

// Before returns the item before a change. The document is from after the change; previous has the earlier values of
// the changed fields, of updated_at, and of the revision unless it was the one before. Old changes may lack updated_at;
// the item then has the later value.
func Before(document []byte, previous json.RawMessage) (*Item, error) {
	before, err := Decode(document)
	if err != nil {
		return nil, err
	}
	before.Revision--
	if err := json.Unmarshal(previous, before); err != nil {
		return nil, fmt.Errorf("decode the item before a change: %w", err)
	}
	return before, nil
}
