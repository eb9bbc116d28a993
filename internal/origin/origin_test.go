package origin_test

import (
	"slices"
	"strings"
	"testing"

	"itemcast/internal/origin"
	"itemcast/internal/problem"
)

func TestNormalize_WritesOriginsAsBrowsersDo(t *testing.T) {
	t.Parallel()
	var invalid problem.Faults
	got := origin.Normalize([]string{"HTTPS://App.Example:443/", "https://app.example", "https://bücher.example",
		"http://localhost:5173", "capacitor://localhost"}, "#/origins", &invalid)
	want := []string{"https://app.example", "https://xn--bcher-kva.example", "http://localhost:5173", "capacitor://localhost"}
	if !slices.Equal(got, want) || len(invalid) != 0 {
		t.Errorf("got %q, %v", got, invalid)
	}
	if none := origin.Normalize(nil, "#/origins", &invalid); none == nil || len(none) != 0 {
		t.Errorf("of none: got %#v", none)
	}
}

func TestNormalize_NamesEachFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://*.example": "no wildcards", "https://a.example/b": "without a path", "https://a.example?b": "without a path",
		"https://u@a.example": "without a path", "null": "must be an origin", "": "must be an origin", "ftp://a.example": "must be an origin",
		"https://": "must be an origin", "https://" + strings.Repeat("a", 300): "at most 300 characters",
	} {
		var invalid problem.Faults
		got := origin.Normalize([]string{"https://good.example", text}, "#/uploads/origins", &invalid)
		if len(invalid) != 1 || invalid[0].Pointer != "#/uploads/origins/1" || !strings.Contains(invalid[0].Detail, want) || len(got) != 1 {
			t.Errorf("%q: got %q, %v", text, got, invalid)
		}
	}
	var invalid problem.Faults
	if origin.Normalize(make([]string, 21), "#/origins", &invalid); len(invalid) != 1 || invalid[0].Pointer != "#/origins" {
		t.Errorf("21 of them: got %v", invalid)
	}
}
