package search_test

import (
	"strings"
	"testing"
	"time"

	"itemcast/internal/search"
)

func TestSplit_MakesTheWordsThatPeopleTypeLater(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"funny.cat.videos.mp4":        "funny cat videos mp4",
		"TC_00715.JPG":                "tc 00715 jpg",
		"Löwenthal, Ångström, Ørsted": "lowenthal angstrom orsted",
		"Lo\u0308wenthal":             "lowenthal",
		"STRASSE straße":              "strasse strasse",
		"東京オリンピック":                    "東京 京オ オリ リン ンピ ピッ ック ク",
		"東京2020":                      "東京 京 2020",
		"ﾃﾚﾋﾞ":                        "テレ レビ ビ",
		"ガ カ":                         "ガ カ",
		"한국어 영화":                      "한국어 영화",
		"हिन्दी":                      "हिन्दी",
		"don't — “why”?":              "don t why",
		"½ ﬁlm Ⅳ":                     "1 2 film iv",
		"...":                         "",
		strings.Repeat("x", 5000):     strings.Repeat("x", 100),
	} {
		var got []string
		for _, w := range search.Split(text) {
			got = append(got, w.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%.40q: got %q, want %q", text, strings.Join(got, " "), want)
		}
	}
}

func indexOf(name string) *search.Index {
	var x search.Index
	x.Add(search.Name, name)
	x.Add(search.Tag, "silent film")
	x.Add(search.Other, "A city of the future")
	return &x
}

func TestMatch_FindsWhatPeopleExpect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, query string
		want        bool
	}{
		{"funny.cat.videos.mp4", "cat", true}, {"funny.cat.videos.mp4", "funny.cat.videos.mp4", true},
		{"funny.cat.videos.mp4", "cat.funny", false}, {"TC_00715.JPG", "00715", true}, {"TC_00715.JPG", "0071", true},
		{"Radiohead", "radio", true}, {"Radiohead", `"radio"`, false}, {"Radiohead live", "radio live", false},
		{"Löwenthal", "lowenthal", true}, {"Lowenthal", "löwen", true}, {"東京オリンピック", "東京", true},
		{"東京オリンピック", "オリンピック", true}, {"東京オリンピック", "京", true}, {"東京オリンピック", "京東", false},
		{"東京オリンピック", "東", true}, {"東京オリンピック", "ク", true}, {"東京2020", "東京2020", true}, {"東京2020", "東京20", true},
		{"Metropolis", "metropolis city", true}, {"Metropolis", "metropolis town", false},
		{"Metropolis", "town or metropolis", true}, {"Metropolis", "metropolis -city", false},
		{"Metropolis", "metropolis -town", true}, {"Metropolis", `"silent film"`, true},
		{"Metropolis", `"film silent"`, false}, {"Metropolis", `"film a"`, false}, {"Metropolis", "-town", true},
		{"Metropolis", "...", false}, {"Metropolis", "", false}, {"Metropolis", "met", true}, {"Metropolis", "metr city", false},
		{"or", "or", true}, {"gold or silver", `"or"`, true},
	} {
		if got := search.Parse(c.query).Match(indexOf(c.name)); got != c.want {
			t.Errorf("%q finds %q: got %v", c.query, c.name, got)
		}
	}
}

func TestRanks_NarrowFromTheNameToAnywhere(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"city radio":  "'=city' & '=radio' ~ '=city' & ('=radio':* & '=radio':* | '=radio') ~ '#city' & ('#radio':* & '#radio':* | '#radio') ~ 'city' & ('radio':* & 'radio':* | 'radio')",
		`"city hall"`: "'=city' <1> '=hall' ~ '#city' <1> '#hall' ~ 'city' <1> 'hall'",
		"a -b":        "'=a' & !('b') ~ '#a' & !('b') ~ 'a' & !('b')",
		"東":           "('=東':* & '=東':* | '=東') ~ ('#東':* & '#東':* | '#東') ~ ('東':* & '東':* | '東')",
	} {
		if got := strings.Join(search.Parse(query).Ranks(), " ~ "); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// Texts that are slow for a text parser cost what other texts of their length cost.
func TestAdd_TakesLinearTimeForAnyText(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{
		"words": "lorem ", "no spaces": "x", "dots": "a.", "dashes": "a-", "slashes": "/a", "marks": "e\u0301",
		"kana": "ア", "at": "a@", "markup": "<a ", "digits": "1e", "one mark": "\u0301",
	} {
		began := time.Now()
		var x search.Index
		x.Add(search.Other, strings.Repeat(unit, 50_000/len([]rune(unit))))
		if took := time.Since(began); took > 5*time.Second || len(x.String()) > 1<<20 {
			t.Errorf("%s: took %s, %d bytes", name, took, len(x.String()))
		}
	}
}
