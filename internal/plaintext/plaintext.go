// Package plaintext recognizes and replaces invisible characters. A name with characters that hide or reorder others
// can pass for another name, and a terminal executes control characters. It also composes text: the same letter can be
// one character or several (é, or e with U+0301), which people cannot tell apart.
package plaintext

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Composed returns the text in Unicode's composed form (NFC), in which texts that look the same have the same bytes.
func Composed(text string) string { return norm.NFC.String(text) }

// IsComposed reports whether Composed would return the same text.
func IsComposed(text string) bool { return norm.NFC.IsNormalString(text) }

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

// IsBlank reports whether a text shows nothing: white space, invisible characters, and characters that are drawn as
// space (U+2800, the blank of Braille, and the fillers of Hangul).
func IsBlank(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsSpace(r) && !isInvisible(r) && !unicode.Is(unicode.Join_Control, r) &&
			!strings.ContainsRune("\u2800\u115f\u1160\u3164\uffa0", r)
	})
}

func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && !unicode.Is(unicode.Join_Control, r)
}
