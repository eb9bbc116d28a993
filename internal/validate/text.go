// Package validate checks text and times from clients. The OpenAPI document has the same limits, but only REST requests
// are checked against it: inputs of GraphQL and of the command line are not.
//
// Each function returns the detail of a problem.Fault, or "" for valid text.
package validate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"itemcast/internal/plaintext"
)

// Storable checks that a Postgres text column can store a text: it must be valid UTF-8 without U+0000.
func Storable(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "must be valid UTF-8"
	case strings.IndexByte(text, 0) >= 0:
		return "must not contain the character U+0000"
	}
	return ""
}

// Text checks that a text is storable, and that its number of characters (Unicode code points) is in the range.
func Text(text string, minLength, maxLength int) string {
	if detail := Storable(text); detail != "" {
		return detail
	}
	switch n := utf8.RuneCountInString(text); {
	case n >= minLength && n <= maxLength:
		return ""
	case minLength == 0:
		return fmt.Sprintf("must have at most %d characters", maxLength)
	default:
		return fmt.Sprintf("must have from %d to %d characters", minLength, maxLength)
	}
}

// Name checks a name like [Text]. It must not be blank unless it may be empty, and must not contain characters that
// hide or reorder others, because such a name can pass for another.
func Name(name string, minLength, maxLength int) string {
	switch detail := Text(name, minLength, maxLength); {
	case detail != "":
		return detail
	case minLength > 0 && plaintext.IsBlank(name):
		return "must not be blank"
	case !plaintext.Is(name):
		return "must not contain control characters or invisible characters"
	}
	return ""
}
