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
	"time"

	"github.com/google/uuid"

	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

const (
	maxObjectBytes = 64 << 10
	maxClientDepth = 20

	// What a number of metadata may have before and after its decimal point: it is kept digit for digit.
	maxIntegerDigits, maxFractionDigits = 30, 15
)

// checkMetadata brings a draft's metadata into its one spelling, with sorted keys, and holds it against the account's fields. What may stay
// as it is is not looked at, so that a field made required later does not stand in the way of other changes.
func (s *Service) checkMetadata(ctx context.Context, q *store.Queries, account uuid.UUID, i *Item, d draft) (json.RawMessage, problem.Faults, error) {
	mayStay := d.metadataMayStay && i.Revision > 0
	if mayStay && bytes.Equal(d.Metadata, i.Metadata) {
		return i.Metadata, nil, nil
	}
	values, err := decodeObject(d.Metadata)
	if err != nil {
		return nil, nil, err
	}
	maps.DeleteFunc(values, func(_ string, v any) bool { return v == nil })
	for key, v := range values { // one spelling, so that what is equal is found equal
		if number, ok := v.(json.Number); ok {
			if plain, ok := plainDecimal(string(number)); ok {
				values[key] = json.Number(plain)
			}
		}
	}
	sorted, err := json.Marshal(values)
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
	fields, err := q.ListMetadataFields(ctx, account)
	if err != nil {
		return nil, nil, fmt.Errorf("list metadata fields: %w", err)
	}
	faults := fieldFaults(fields, had, values)
	if len(sorted) > maxObjectBytes {
		faults.At("#/metadata", "must be at most 64 KiB")
	}
	return sorted, faults, nil
}

const (
	unknownField = "is no metadata field of this account: leave it out, or make the field first (POST /api/v1/metadata-fields)"
	deletedField = "belongs to a metadata field that has been deleted: leave the value as it is, or remove it (null in a patch, left out of a replacement)"
)

// fieldFaults checks values by their fields. Those that the item had already may stay, whatever has become of their fields since.
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
	return ok && strings.TrimSpace(text) == ""
}

func checkValue(field store.MetadataField, value any) (canonical any, detail string) {
	switch field.Kind {
	case "number":
		number, ok := value.(json.Number)
		if !ok {
			return value, "must be a number"
		}
		plain, ok := plainDecimal(string(number))
		if !ok {
			return value, fmt.Sprintf("must have at most %d digits before the decimal point and %d after it", maxIntegerDigits, maxFractionDigits)
		}
		return json.Number(plain), ""
	case "bool":
		if _, ok := value.(bool); !ok {
			return value, "must be true or false"
		}
	case "date":
		text, ok := value.(string)
		if _, err := time.Parse(time.DateOnly, text); !ok || err != nil {
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

// number is JSON's (RFC 8259 §6).
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func isNumber(text string) bool { return number.MatchString(text) }

// plainDecimal writes a JSON number without exponent, sign of zero, or zeros at the end of its fraction: the form that survives a round
// trip through Postgres, which stores numeric.
func plainDecimal(number string) (string, bool) {
	mantissa, exponentText, _ := strings.Cut(strings.ToLower(number), "e")
	exponent := 0
	if exponentText != "" {
		if _, err := fmt.Sscanf(exponentText, "%d", &exponent); err != nil || exponent > 100 || exponent < -100 {
			return "", false
		}
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	integer, fraction, _ := strings.Cut(mantissa, ".")
	if len(integer)+len(fraction) > 200 {
		return "", false
	}
	digits := integer + fraction
	point := len(integer) + exponent
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	integer = strings.TrimLeft(digits[:point], "0")
	fraction = strings.TrimRight(digits[point:], "0")
	if len(integer) > maxIntegerDigits || len(fraction) > maxFractionDigits {
		return "", false
	}
	if integer == "" {
		integer = "0"
	}
	plain := integer
	if fraction != "" {
		plain += "." + fraction
	}
	if negative && plain != "0" {
		plain = "-" + plain
	}
	return plain, true
}

func decodeObject(raw json.RawMessage) (map[string]any, error) {
	values := map[string]any{}
	if len(raw) == 0 {
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
	return json.Marshal(values)
}

// fieldKey is the contract's pattern for keys (MetadataFieldInput.key).
var fieldKey = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// kindOf is the kind of field that takes a value.
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
