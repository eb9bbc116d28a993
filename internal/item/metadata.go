package item

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/item/internal/store"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// checkMetadata returns a draft's metadata in canonical form, with sorted keys, and checks it against the account's
// fields. Unchanged metadata is not checked if the draft has keepMetadata, so that a field that becomes required later
// does not block other changes.
func (s *Service) checkMetadata(
	ctx context.Context, q *store.Queries, account uuid.UUID, i *Item, d draft,
) (json.RawMessage, problem.Faults, error) {
	mayStay := d.keepMetadata && i.Revision > 0
	if mayStay && bytes.Equal(d.Metadata, i.Metadata) && plaintext.IsComposed(string(i.Metadata)) {
		return i.Metadata, nil, nil
	}
	values, err := decodeObject(d.Metadata)
	if err != nil {
		return nil, nil, err
	}
	maps.DeleteFunc(values, func(_ string, v any) bool { return v == nil })
	composeValues(values)
	for key, v := range values { // equal numbers must have equal bytes
		if number, ok := v.(json.Number); ok {
			if plain, ok := plainDecimal(string(number)); ok {
				values[key] = json.Number(plain)
			}
		}
	}
	sorted, err := encodeObject(values)
	if err != nil {
		return nil, nil, fmt.Errorf("encode metadata: %w", err)
	}
	if mayStay && bytes.Equal(sorted, i.Metadata) {
		return sorted, nil, nil
	}
	had, err := decodeObject(i.Metadata)
	if err != nil {
		return nil, nil, err
	}
	composeValues(had)
	fields, err := q.ListMetadataFields(ctx, account)
	if err != nil {
		return nil, nil, fmt.Errorf("list metadata fields: %w", err)
	}
	var faults problem.Faults
	if !d.restored.isDocument() { // else the item had these values when it was exported
		faults = fieldFaults(fields, had, values)
	}
	if len(sorted) > maxObjectBytes {
		faults.At("#/metadata", "must be at most 64 KiB")
	}
	return sorted, faults, nil
}

const (
	unknownField = "must be a metadata field of this account: leave it out, or make the field first " +
		"(POST /api/v1/metadata-fields)"
	deletedField = "belongs to a metadata field that has been deleted: leave the value as it is, or remove it " +
		"(null in a patch, left out of a replacement)"
)

// fieldFaults checks values against their fields. A value that the item already has is valid, even if its field has
// changed or was deleted.
func fieldFaults(fields []store.MetadataField, had, values map[string]any) problem.Faults {
	var faults problem.Faults
	fault := func(key, detail string) { faults.At(strictjson.Pointer("metadata", key), detail) }
	byKey := make(map[string]store.MetadataField, len(fields))
	for _, field := range fields {
		byKey[field.Key] = field
		switch value, given := values[field.Key]; {
		case !field.Required:
		case !given:
			fault(field.Key, "is required")
		case isBlank(value):
			fault(field.Key, "is required, and must not be blank")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		old, has := had[key]
		field, known := byKey[key]
		switch {
		case has && reflect.DeepEqual(old, value), known && field.Required && isBlank(value):
		case !known && has:
			fault(key, deletedField)
		case !known:
			fault(key, unknownField)
		default:
			_, detail := checkValue(field, value)
			fault(key, detail)
		}
	}
	return faults
}

func isBlank(value any) bool {
	text, ok := value.(string)
	return ok && plaintext.IsBlank(text)
}

// checkValue returns a value in canonical form, and its fault if it is not of the field's kind.
func checkValue(field store.MetadataField, value any) (canonical any, detail string) {
	switch field.Kind {
	case "number":
		number, ok := value.(json.Number)
		if !ok {
			return value, "must be a number"
		}
		plain, ok := plainDecimal(string(number))
		if !ok {
			return value, fmt.Sprintf("must have at most %d digits before the decimal point and %d after it",
				maxIntegerDigits, maxFractionDigits)
		}
		return json.Number(plain), ""
	case "bool":
		if _, ok := value.(bool); !ok {
			return value, "must be true or false"
		}
	case "date":
		if !isDateValue(value) {
			return value, "must be a date, YYYY-MM-DD"
		}
	case "choice":
		if text, ok := value.(string); !ok || !slices.Contains(field.Choices, text) {
			return value, "must be one of " + strings.Join(field.Choices, ", ")
		}
	default:
		if _, ok := value.(string); !ok {
			return value, "must be a string"
		}
	}
	return value, ""
}

func decodeObject(raw json.RawMessage) (map[string]any, error) {
	values := map[string]any{}
	if len(raw) == 0 || string(raw) == "{}" {
		return values, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return nil, fmt.Errorf("decode metadata: %w", err)
	}
	if values == nil { // null
		values = map[string]any{}
	}
	return values, nil
}

func sortKeys(raw json.RawMessage) (json.RawMessage, error) {
	values, err := decodeObject(raw)
	if err != nil {
		return nil, err
	}
	return encodeObject(values)
}

// fieldKey is the contract's pattern of keys (MetadataFieldInput.key).
var fieldKey = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// kindOf returns the kind of field that a value fits; ok is false for objects, arrays and null.
func kindOf(value any) (kind string, ok bool) {
	switch value.(type) {
	case string:
		return "text", true
	case json.Number:
		return "number", true
	case bool:
		return "bool", true
	}
	return "", false
}
