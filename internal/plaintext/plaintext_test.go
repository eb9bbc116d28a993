package plaintext_test

import (
	"testing"

	"itemcast/internal/plaintext"
)

func TestShow_ReplacesInvisibleCharactersOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                     "",
		"Ada Lovelace":         "Ada Lovelace",
		"日本 😀":                 "日本 😀",
		"می\u200cخواهم":        "می\u200cخواهم", // a joiner
		"a\nb\x1b[31m":         "a\uFFFDb\uFFFD[31m",
		"\u202egnp.exe":        "\uFFFDgnp.exe", // reverses what follows
		"zero\u200bwidth":      "zero\uFFFDwidth",
		"line\u2028, \u2029 x": "line\uFFFD, \uFFFD x",
	} {
		if got := plaintext.Show(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if plaintext.Is(text) != (text == want) {
			t.Errorf("%q: Is and Show differ", text)
		}
	}
}

func TestIsBlank_SeesNoTextInCharactersThatShowNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": true, "\t\u00a0\u3000": true, "\u200b": true, "\ufeff": true, "\u2800": true, "\x1f": true, "\u200d": true,
		"\u3164": true, "a": false, "\u200ba": false, "\u2801": false,
	} {
		if got := plaintext.IsBlank(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
