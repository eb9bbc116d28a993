package origin_test

import (
	"slices"
	"strings"
	"testing"

	"itemcast/internal/origin"
	"itemcast/internal/problem"
)

func TestSites_WritesThemAsAPolicyDoes(t *testing.T) {
	t.Parallel()
	var invalid problem.Faults
	got := origin.Sites([]string{"HTTPS://Blog.Example:443/", "https://*.Bücher.example", "https://blog.example",
		"http://localhost:5173"}, "#/f", &invalid)
	want := []string{"https://blog.example", "https://*.xn--bcher-kva.example", "http://localhost:5173"}
	if !slices.Equal(got, want) || len(invalid) != 0 {
		t.Errorf("got %q, %v", got, invalid)
	}
	for _, raw := range [][]string{{"*"}, {}} {
		if got := origin.Sites(raw, "#/f", &invalid); !slices.Equal(got, raw) || got == nil || len(invalid) != 0 {
			t.Errorf("of %q: got %q, %v", raw, got, invalid)
		}
	}
}

func TestSites_NamesEachFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"*": "must be alone", "example.com": "must be an origin", "https://a.*.example": "must be an origin",
		"https://*": "must be an origin", "*.example.com": "must be an origin", "https://*.a.example/b": "without a path",
		"https://*.127.0.0.1": "IP address", "https://*.[::1]": "IP address", "'none'": "must be an origin",
		"https://a.example; script-src *": "must be an origin", "https://a.example 'self'": "must be an origin",
		"https://" + strings.Repeat("a", 300): "at most 300 characters", "": "must be an origin",
	} {
		var invalid problem.Faults
		got := origin.Sites([]string{"https://good.example", text}, "#/f", &invalid)
		if len(invalid) != 1 || invalid[0].Pointer != "#/f/1" || !strings.Contains(invalid[0].Detail, want) || len(got) != 1 {
			t.Errorf("%q: got %q, %v", text, got, invalid)
		}
	}
}
