package text

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTexts_EveryKeyIsInBothLanguagesWithTheSamePlaceholders(t *testing.T) {
	t.Parallel()
	placeholder := regexp.MustCompile(`\{\d\}`)
	english, german := Languages()[0].texts, Languages()[1].texts
	for key := range maps.Keys(german) {
		if _, ok := english[key]; !ok {
			t.Errorf("%s is in German only", key)
		}
	}
	for key, text := range english {
		translated, ok := german[key]
		if !ok {
			t.Errorf("%s is in English only", key)
			continue
		}
		want, got := placeholder.FindAllString(text, -1), placeholder.FindAllString(translated, -1)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("%s has the placeholders %q in English, %q in German", key, want, got)
		}
		if text == "" || translated == "" || strings.ContainsAny(text+translated, "<>") {
			t.Errorf("%s is empty or has HTML: %q, %q", key, text, translated)
		}
		if stem, ok := strings.CutSuffix(key, ".one"); ok && english[stem+".other"] == "" {
			t.Errorf("%s has no form for other numbers", key)
		}
	}
}

func TestFor_ChoosesByTheBrowsersOrder(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "en-GB,de;q=0.9": "en", "fr,de;q=0.5,en;q=0.3": "de",
		"fr": "en", "de-u-rg-chzzzz": "de", "*": "en", "nonsense;;;": "en", "de;q=0,en": "en",
	} {
		if got := For(header).Tag; got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestFormats_FollowTheLanguage(t *testing.T) {
	t.Parallel()
	en, de := Languages()[0], Languages()[1]
	at := time.Date(2026, 11, 8, 23, 5, 0, 0, time.FixedZone("", 3600))
	for got, want := range map[string]string{
		en.Number(1234567): "1,234,567", de.Number(1234567): "1.234.567", en.Number(-1000): "-1,000", en.Number(999): "999",
		en.Size(1536): "1.5 kB", de.Size(1536): "1,5 kB", en.Size(12): "12 B", en.Size(999_999): "1.0 MB",
		de.Size(23_400_000_000): "23 GB",
		Duration(59.6):          "1:00", Duration(3723): "1:02:03", Duration(0): "0:00",
		en.Time(at): "8 Nov 2026, 22:05 UTC", de.Time(at): "08.11.2026, 22:05 UTC",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCount_ChoosesTheForm(t *testing.T) {
	t.Parallel()
	en := Languages()[0]
	if one, many := en.Count("items.selected", 1), en.Count("items.selected", 1200); one != "1 selected" ||
		many != "1,200 selected" {
		t.Errorf("got %q and %q", one, many)
	}
}
