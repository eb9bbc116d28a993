package validate_test

import (
	"strings"
	"testing"

	"itemcast/internal/validate"
)

func TestName_ReportsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Editor": "", "日本 😀": "", "می\u200cخواهم": "", strings.Repeat("漢", 100): "",
		"":                       "must have from 1 to 100 characters",
		strings.Repeat("漢", 101): "must have from 1 to 100 characters",
		"  ":                     "must not be blank",
		"a\x00b":                 "must not contain the character U+0000",
		"\xff":                   "must be valid UTF-8",
		"a\u202eb":               "must not contain control characters or invisible characters",
		"a\nb":                   "must not contain control characters or invisible characters",
	} {
		if got := validate.Name(name, 1, 100); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestText_AllowsLineBreaksAndEmptyText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "a\nb": "", "aaaa": "must have at most 3 characters"} {
		if got := validate.Text(text, 0, 3); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
