package mergepatch_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"

	"itemcast/internal/mergepatch"
	"itemcast/internal/problem"
)

type flat struct {
	Name   *string   `json:"name"`
	Active *bool     `json:"active"`
	Tags   *[]string `json:"tags"`
}

func TestRead_SetsTheNamedFields(t *testing.T) {
	t.Parallel()
	for patch, want := range map[string]flat{
		`{}`:                         {},
		`{"name":""}`:                {Name: new("")},
		`{"active":false,"tags":[]}`: {Active: new(false), Tags: &[]string{}},
	} {
		if got, err := mergepatch.Read[flat]([]byte(patch)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", patch, got, err)
		}
	}
}

func TestRead_RefusesNullAndOtherForms(t *testing.T) {
	t.Parallel()
	for patch, faults := range map[string]int{
		`{"name":null,"tags":null,"active":true}`: 2, `[]`: 0, `null`: 0, `{"name":1}`: 0, `{"nmae":"a"}`: 0,
	} {
		_, err := mergepatch.Read[flat]([]byte(patch))
		if !problem.Is(err, problem.InvalidInput) || len(problem.Of(err).Faults) != faults {
			t.Errorf("%s: got %v", patch, err)
		}
	}
}

func TestRead_NullEmptiesANullableField(t *testing.T) {
	t.Parallel()
	type user struct {
		Name    *string                    `json:"name"`
		Profile mergepatch.Nullable[[]int] `json:"profile"`
	}
	for patch, want := range map[string]user{
		`{"name":"a"}`:                {Name: new("a")},
		`{"name":"a","profile":null}`: {Name: new("a"), Profile: mergepatch.Set[[]int](nil)},
		`{"profile":[1]}`:             {Profile: mergepatch.Set(&[]int{1})},
	} {
		if got, err := mergepatch.Read[user]([]byte(patch)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", patch, got, err)
		}
	}
	_, err := mergepatch.Read[user]([]byte(`{"name":null,"profile":null}`))
	if e := problem.Of(err); e == nil || len(e.Faults) != 1 || e.Faults[0].Pointer != "#/name" {
		t.Errorf("null for another field: got %v", err)
	}
	if _, err := mergepatch.Read[user]([]byte(`{"profile":"x"}`)); !problem.Is(err, problem.InvalidInput) {
		t.Errorf("another type: got %v", err)
	}
}

type nested struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Filter map[string]string `json:"filter"`
	Limit  *int              `json:"limit"`
}

func TestApply_MergesTheNamedFields(t *testing.T) {
	t.Parallel()
	before := nested{
		Name: "a", Labels: map[string]string{"x": "1", "y": "2"}, Filter: map[string]string{"x": "1"}, Limit: new(3),
	}
	merge := mergepatch.Merge[nested]{Replaced: []string{"filter"}}
	for patch, c := range map[string]struct {
		want  nested
		named []string
	}{
		`{}`: {before, nil},
		`{"labels":{"x":null,"z":"3"},"limit":null}`: {
			nested{Name: "a", Labels: map[string]string{"y": "2", "z": "3"}, Filter: before.Filter},
			[]string{"labels", "limit"},
		},
		`{"filter":{"y":"2"}}`: {
			nested{Name: "a", Labels: before.Labels, Filter: map[string]string{"y": "2"}, Limit: new(3)},
			[]string{"filter"},
		},
		`{"filter":null,"name":"b"}`: {
			nested{Name: "b", Labels: before.Labels, Limit: new(3)}, []string{"filter", "name"},
		},
	} {
		got, named, err := merge.Apply(before, []byte(patch))
		if err != nil || !reflect.DeepEqual(got, c.want) || !slices.Equal(named, c.named) {
			t.Errorf("%s: got %+v, %v, %v", patch, got, named, err)
		}
	}
	if _, _, err := merge.Apply(before, []byte(`[]`)); !problem.Is(err, problem.InvalidInput) {
		t.Errorf("an array: got %v", err)
	}
}

func TestApply_DecodesOnlyTheNamedAndNeededFields(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no")
	merge := mergepatch.Merge[nested]{Needed: []string{"name"}, Decode: func(merged []byte) (n nested, err error) {
		if got := string(merged); got != `{"name":"a","labels":null,"filter":null,"limit":4}` {
			t.Errorf("decodes %s", got)
		}
		_ = json.Unmarshal(merged, &n)
		return n, refusal
	}}
	before := nested{Name: "a", Labels: map[string]string{"x": "1"}, Limit: new(3)}
	after, _, err := merge.Apply(before, []byte(`{"limit":4}`))
	if !errors.Is(err, refusal) || after.Labels["x"] != "1" || *after.Limit != 4 {
		t.Errorf("got %+v, %v", after, err)
	}
}

func TestFromInput_UsesTheNamesOfTheContract(t *testing.T) {
	t.Parallel()
	var none *string
	got, err := mergepatch.FromInput(map[string]any{"roleIds": []string{"a"}, "maxInFlight": 1, "name": none})
	if want := `{"max_in_flight":1,"name":null,"role_ids":["a"]}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}
