package contract

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"itemcast/internal/validate"
)

var errFormat = errors.New("not in the format")

// formats are as strict as the decoders of generated code, so that a value that passes here decodes there.
var formats = []*jsonschema.Format{
	{Name: "uuid", Validate: ofText(isUUID)},
	{Name: "date-time", Validate: ofText(isTime)},
	{Name: "date", Validate: ofText(isDate)},
	{Name: "uri", Validate: ofText(isURL)},
	{Name: "int32", Validate: ofInteger(32)},
	{Name: "int64", Validate: ofInteger(64)},
}

func ofText(is func(string) bool) func(any) error {
	return func(value any) error {
		if text, ok := value.(string); ok && !is(text) {
			return errFormat
		}
		return nil
	}
}

// ofInteger accepts only digits. JSON Schema takes 1.0 and 1e2 for integers too, but encoding/json does not.
func ofInteger(bits int) func(any) error {
	return func(value any) error {
		number, ok := value.(json.Number)
		if !ok {
			return nil
		}
		_, err := strconv.ParseInt(string(number), 10, bits)
		return err
	}
}

// boundIntegers gives every integer without a format the format int64.
func boundIntegers(node any) {
	switch node := node.(type) {
	case map[string]any:
		types, _ := node["type"].([]any)
		if _, sized := node["format"]; !sized && (node["type"] == "integer" || slices.Contains(types, any("integer"))) {
			node["format"] = "int64"
		}
		for _, child := range node {
			boundIntegers(child)
		}
	case []any:
		for _, child := range node {
			boundIntegers(child)
		}
	}
}

// isUUID accepts the canonical form of RFC 9562, in upper or lower case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F':
		default:
			return false
		}
	}
	return true
}

// isTime accepts what both RFC 3339 and package time accept: no comma before the fraction, and no leap second. The time
// must stay in the years 1 to 9999 in UTC, in which it is stored.
func isTime(s string) bool {
	at, err := time.Parse(time.RFC3339, s)
	return err == nil && !strings.Contains(s, ",") && validate.Time(at) == ""
}

func isDate(s string) bool {
	day, err := time.Parse(time.DateOnly, s)
	return err == nil && validate.Time(day) == ""
}

// isURL accepts absolute URLs; those with http or https must have a host.
func isURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || !u.IsAbs() {
		return false
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return u.Hostname() != ""
	}
	return true
}
