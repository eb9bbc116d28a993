package web

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"itemcast/internal/web/text"
)

// Every text that a page names exists; the languages have the same keys (package text).
func TestTexts_EveryTextOfAPageExists(t *testing.T) {
	t.Parallel()
	l := text.Languages()[0]
	named := regexp.MustCompile(`\b(t|n) "([^"]+)"`)
	inCode := regexp.MustCompile(`(?:text\.Get|text\.Count|done|notice\{Key:) ?\(?"([a-zA-Z_.]*[a-zA-Z_])"`)
	check := func(file, key string) {
		if isCount := l.Has(key+".one") && l.Has(key+".other"); !isCount && !l.Has(key) {
			t.Errorf("%s: there is no text %s", file, key)
		}
	}
	for pattern, in := range map[string]*regexp.Regexp{"templates/*.html": named, "*.go": inCode} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range in.FindAllStringSubmatch(string(raw), -1) {
				key := found[1]
				if pattern != "*.go" {
					key = found[2]
				}
				check(file, key)
			}
		}
	}
}
