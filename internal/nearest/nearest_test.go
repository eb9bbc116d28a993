package nearest_test

import (
	"strings"
	"testing"

	"itemcast/internal/nearest"
)

func TestDidYouMean_SuggestsTheNearestKnownName(t *testing.T) {
	t.Parallel()
	known := []string{"workflow_status", "tags", "type", "name", "sort", "id"}
	for given, want := range map[string]string{
		"tag": "tags", "Tags": "tags", "nmae": "name", "types": "type", "workflowStatus": "workflow_status", "x": "", "": "",
		"colour": "", "xy": "", strings.Repeat("tags", 30): "",
	} {
		if want != "" {
			want = "; did you mean " + want + "?"
		}
		if got := nearest.DidYouMean(given, known); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}
