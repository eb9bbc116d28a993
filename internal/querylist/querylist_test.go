package querylist_test

import (
	"net/url"
	"reflect"
	"slices"
	"testing"

	"itemcast/internal/querylist"
)

func TestSplit_OnlyABareCommaSeparates(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]string{
		"": {""}, "a": {"a"}, "a,b": {"a", "b"}, "a%2Cb": {"a,b"}, "a%2c+b,c%20d": {"a, b", "c d"}, ",": {"", ""}, "%zz": nil,
	} {
		if got, err := querylist.Split(raw); !slices.Equal(got, want) || (err != nil) != (want == nil) {
			t.Errorf("%s: got %q, %v", raw, got, err)
		}
	}
}

func TestParse_DividesArraysAndNothingElse(t *testing.T) {
	t.Parallel()
	isArray := func(name string) bool { return name == "tags" }
	for raw, want := range map[string]url.Values{
		"":                              {},
		"tags=a%2Cb,c&x=1,2&tags=d&&x=": {"tags": {"a,b", "c", "d"}, "x": {"1,2", ""}},
		"t%61gs=a,b&tags":               {"tags": {"a", "b", ""}},
		"tags=%zz&tags=a;b&%zz=1&x=%":   {},
	} {
		if got := querylist.Parse(raw, isArray); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v", raw, got)
		}
	}
}
