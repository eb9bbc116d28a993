package upload_test

import (
	"strings"
	"testing"

	"itemcast/internal/upload"
)

func TestCleanName_IsTheNameThatTheUserKnows(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"clip.mp4":                           "clip.mp4",
		"my %22best%22 clip.mp4":             `my "best" clip.mp4`,
		"two%0Alines.mp4":                    "two lines.mp4",
		"two%0D%0Alines.mp4":                 "two lines.mp4",
		"100%25.mp4":                         "100%25.mp4", // browsers escape no other character
		"a%2Fb.mp4":                          "a%2Fb.mp4",
		`C:\Users\Ann\clip.mp4`:              "clip.mp4",
		"/home/ann/clip.mp4":                 "clip.mp4",
		`mixed/of\both.mp4`:                  "both.mp4",
		"../../etc/passwd":                   "passwd",
		"..":                                 "file",
		"itemcast-video.mp4":                 "_itemcast-video.mp4",
		"":                                   "file",
		"folder/":                            "file",
		"Müller 日本.mp4":                      "Müller 日本.mp4",
		"latin \xe9.mp4":                     "latin \uFFFD.mp4",
		"hidden\u202Egpj.exe":                "hiddengpj.exe",
		"tab\tand\x00null.mp4":               "tab and null.mp4",
		" spaces around .mp4 ":               "spaces around .mp4",
		strings.Repeat("ü", 300) + ".mp4":    strings.Repeat("ü", 98) + ".mp4",
		"👩‍👩‍👧.mp4":                          "👩‍👩‍👧.mp4",
		strings.Repeat("x", 199) + "." + "y": strings.Repeat("x", 198) + ".y",
	} {
		if got := upload.CleanName(sent); got != want {
			t.Errorf("%q: got %q, want %q", sent, got, want)
		}
	}
}
