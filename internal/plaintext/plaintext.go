// Package plaintext is about texts that people take for what they see: a name with characters that hide, or that move
// others, passes for another name, and a terminal obeys them.
package plaintext

import (
	"strings"
	"unicode"
)

// Is reports whether a text has no such characters: controls, formats, and what separates lines and paragraphs
// (Unicode's Cc, Cf, Zl and Zp), but for the joiners (U+200C and U+200D), which some languages write words with.
func Is(text string) bool { return !strings.ContainsFunc(text, hides) }

// Show is a text with each of them shown as U+FFFD.
func Show(text string) string {
	return strings.Map(func(r rune) rune {
		if hides(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func hides(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && !unicode.Is(unicode.Join_Control, r)
}
