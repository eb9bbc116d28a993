package accept_test

import (
	"net/http"
	"testing"

	"itemcast/internal/accept"
)

func TestPreferred_TheMostSpecificRangeDecides(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"":                             "application/json",
		"*/*":                          "application/json",
		"///;;":                        "application/json",
		"image/png":                    "application/json",
		"text/event-stream":            "text/event-stream",
		"TEXT/Event-Stream":            "text/event-stream",
		"text/*":                       "text/event-stream",
		"text/event-stream, */*;q=0.1": "text/event-stream",
		"text/event-stream;q=0, */*":   "application/json",
		"text/event-stream;q=0, text/*, application/json;q=0.1": "application/json",
		"application/json, text/event-stream":                   "application/json",
		"application/json;q=0.5, text/event-stream":             "text/event-stream",
		"application/json;q=0.5;charset=utf-8, text/*;q=0.6":    "text/event-stream",
		"text/event-stream;q=nonsense, application/json;q=0.1":  "application/json",
		"text/event-stream;q=NaN, application/json;q=0.1":       "application/json",
		"text/event-stream;q=7, application/json;q=0.1":         "application/json",
	} {
		if got := accept.Preferred([]string{header}, "application/json", "text/event-stream"); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
	if got := accept.Preferred(nil, "a/a", "b/b"); got != "a/a" {
		t.Errorf("without a header: got %s", got)
	}
	if got := accept.Preferred([]string{"a/a;q=0.1", "b/b"}, "a/a", "b/b"); got != "b/b" {
		t.Errorf("of two header lines: got %s", got)
	}
}

func TestTypes_ARangeNamesNoType(t *testing.T) {
	t.Parallel()
	types := accept.ParseTypes([]string{"text/html;q=0.5, application/*, */*;q=0.1"})
	for mediaType, want := range map[string][2]float64{
		"text/html": {0.5, 0.5}, "application/json": {1, 0}, "image/png": {0.1, 0},
	} {
		if got := [2]float64{types.Weight(mediaType), types.Named(mediaType)}; got != want {
			t.Errorf("%s: weight and named weight are %v, want %v", mediaType, got, want)
		}
	}
	if none := accept.ParseTypes([]string{"application/json;q=0"}); none.Takes("application/json") || none.Takes("text/html") {
		t.Error("a weight of 0 accepts")
	}
}

// browser is the header that browsers send.
const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func TestPrefersHTML_OnlyBrowsersAndWhoAsksForIt(t *testing.T) {
	t.Parallel()
	const java = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
	for _, c := range []struct {
		accept, mode string
		want         bool
	}{
		{browser, "", true}, // over plain HTTP a browser sends no Sec-Fetch-Mode
		{browser, "navigate", true},
		{"text/html", "", true},
		{"text/html", "cors", true},
		{"application/xml, text/html;q=0.5", "", true},
		{"text/html, application/json", "", false},
		{"text/html;q=0.5, */*", "", false},
		{"text/html;q=0", "", false},
		{"text/*", "", false},
		{"*/*", "", false},
		{"*/*", "cors", false},
		{"*/*", "same-origin", false},
		{"", "", false},
		{"", "cors", false},
		{java, "", false},
		{"text/html, image/gif, image/jpeg, */*; q=0.2", "", false},
		{java, "navigate", true},
		{"*/*", "navigate", true},
		{"", "navigate", true},
		{"application/json", "navigate", false},
		{"application/json, */*", "navigate", false},
		{"text/html;q=0, */*", "navigate", false},
	} {
		header := http.Header{}
		if c.accept != "" {
			header.Set("Accept", c.accept)
		}
		if c.mode != "" {
			header.Set("Sec-Fetch-Mode", c.mode)
		}
		if got := accept.PrefersHTML(header); got != c.want {
			t.Errorf("%q, mode %q: got %v, want %v", c.accept, c.mode, got, c.want)
		}
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"":                      false,
		"identity":              false,
		"gzip":                  true,
		"GZIP":                  true,
		"deflate, gzip;q=0.5":   true,
		"gzip; q=0":             false,
		"gzip;q=0.000":          false,
		"gzip;q=nonsense":       false,
		"*":                     true,
		"*;q=0":                 false,
		"*, gzip;q=0":           false,
		"identity;q=1, *;q=0.1": true,
	} {
		if got := accept.Gzip([]string{header}); got != want {
			t.Errorf("%q: got %v, want %v", header, got, want)
		}
	}
}

func BenchmarkPrefersHTML(b *testing.B) {
	for name, header := range map[string]string{
		"browser": browser,
		"program": "*/*",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				accept.PrefersHTML(http.Header{"Accept": {header}})
			}
		})
	}
}
