// Package validate checks text from outside. REST requests have passed the same limits in the OpenAPI document; inputs of
// GraphQL and of the command line have not.
//
// Each function returns what is wrong, as the detail of a problem.Fault; "" when nothing is.
package validate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"itemcast/internal/plaintext"
)

// Storable checks what a Postgres text column needs: valid UTF-8 without U+0000.
func Storable(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "must be valid UTF-8"
	case strings.IndexByte(text, 0) >= 0:
		return "must not contain the character U+0000"
	}
	return ""
}

// Text checks that a text is storable and has from least to most characters (Unicode code points).
func Text(text string, least, most int) string {
	if detail := Storable(text); detail != "" {
		return detail
	}
	switch n := utf8.RuneCountInString(text); {
	case n >= least && n <= most:
		return ""
	case least == 0:
		return fmt.Sprintf("must have at most %d characters", most)
	default:
		return fmt.Sprintf("must have from %d to %d characters", least, most)
	}
}

// Name checks a text by which people recognize a thing: Text, not blank unless it may be empty, and without characters
// that hide or reorder others, so that no name can pass for another.
func Name(name string, least, most int) string {
	switch detail := Text(name, least, most); {
	case detail != "":
		return detail
	case least > 0 && strings.TrimSpace(name) == "":
		return "must not be blank"
	case !plaintext.Is(name):
		return "must not contain control characters or invisible characters"
	}
	return ""
}
