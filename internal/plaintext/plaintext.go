// Package plaintext recognizes and replaces invisible characters. A name with characters that hide or reorder others
// can pass for another name, and a terminal executes control characters.
package plaintext

import (
	"strings"
	"unicode"
)

// Is reports whether a text has no invisible characters: control and format characters, and separators of lines and
// paragraphs (Unicode categories Cc, Cf, Zl and Zp). It allows the joiners U+200C and U+200D, which some languages need
// within words.
func Is(text string) bool { return !strings.ContainsFunc(text, isInvisible) }

// Show returns the text with U+FFFD in place of each invisible character. A terminal can print it safely.
func Show(text string) string {
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && !unicode.Is(unicode.Join_Control, r)
}
