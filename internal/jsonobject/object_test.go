package jsonobject_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"itemcast/internal/jsonobject"
	"itemcast/internal/strictjson"
)

func TestMembers_ReturnsNamesAndValuesInOrder(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]string{ // names and values in turn
		`{}`:                          nil,
		` { } `:                       nil,
		`{"b":1,"a":2}`:               {"b", "1", "a", "2"},
		"{\n\t\"a\" : [ 1 , 2 ] }":    {"a", "[ 1 , 2 ]"},
		`{"a":{"b":{"c":1}},"d":{}}`:  {"a", `{"b":{"c":1}}`, "d", "{}"},
		`{"a":null,"b":"","c":1.50}`:  {"a", "null", "b", `""`, "c", "1.50"},
		`{"":1,"\u00e9":"\u00e9"}`:    {"", "1", "é", `"\u00e9"`},
		`{"a\"b":"}","c":"{\"d\":1"}`: {`a"b`, `"}"`, "c", `"{\"d\":1"`},
	} {
		members, err := jsonobject.Members(json.RawMessage(raw))
		var got []string
		for _, m := range members {
			got = append(got, m.Name, string(m.Value))
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v", raw, got, err)
		}
	}
}

func TestMembers_ReturnsErrNoObjectForOtherValues(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{``, ` `, `null`, `[]`, `1`, `"{}"`} {
		if _, err := jsonobject.Members(json.RawMessage(raw)); !errors.Is(err, jsonobject.ErrNoObject) {
			t.Errorf("%q: got %v", raw, err)
		}
	}
}

func TestMembers_FailsForMalformedObjects(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":[1}`, `{1:2}`, `{"a" 1}`} {
		if got, err := jsonobject.Members(json.RawMessage(raw)); err == nil || errors.Is(err, jsonobject.ErrNoObject) {
			t.Errorf("%s: got %v, %v", raw, got, err)
		}
	}
}

func TestEncode_RetainsTheOrderAndTheBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{`{}`, `{}`},
		{
			` {"b" : 1.50, "a":{"y":[ 1 ],"x":null}, "\u00e9":"\u00e9"} `,
			`{"b":1.50,"a":{"y":[ 1 ],"x":null},"\u00e9":"\u00e9"}`,
		},
	} {
		members, err := jsonobject.Members(json.RawMessage(c.raw))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := jsonobject.Encode(members); err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v", c.raw, got, err)
		}
	}
}

func TestEncode_OmitsMembersWithoutAValue(t *testing.T) {
	t.Parallel()
	members := []jsonobject.Member{{Name: "a"}, {Name: "b", Value: json.RawMessage("1")}, {Name: "c"}}
	if got, err := jsonobject.Encode(members); err != nil || string(got) != `{"b":1}` {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := jsonobject.Encode(members[:1]); err != nil || string(got) != `{}` {
		t.Errorf("got %s, %v", got, err)
	}
}

// Members agrees with encoding/json, and Encode is its inverse.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}],"":"x"}`, ` { "\u0061" : 1e2 } `, `[]`, `null`, `{"<&>":"\u2028"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if strictjson.Check(raw, strictjson.Limits{}) != nil {
			t.Skip()
		}
		var want map[string]json.RawMessage
		isObject := json.Unmarshal(raw, &want) == nil && want != nil
		members, err := jsonobject.Members(raw)
		if isObject != (err == nil) || !isObject && !errors.Is(err, jsonobject.ErrNoObject) {
			t.Fatalf("%q: got %v", raw, err)
		}
		if !isObject {
			return
		}
		wantMembers(t, members, want)
		encoded, err := jsonobject.Encode(members)
		if err != nil {
			t.Fatal(err)
		}
		again, err := jsonobject.Members(encoded)
		if err != nil {
			t.Fatal(err)
		}
		wantMembers(t, again, want)
		for i := range members {
			if again[i].Name != members[i].Name {
				t.Fatalf("%q: the order changes to %s", raw, encoded)
			}
		}
	})
}

func wantMembers(t *testing.T, members []jsonobject.Member, want map[string]json.RawMessage) {
	t.Helper()
	got := map[string]json.RawMessage{}
	for _, m := range members {
		got[m.Name] = m.Value
	}
	same := func(a, b json.RawMessage) bool { return string(a) == string(b) }
	if len(members) != len(want) || !maps.EqualFunc(got, want, same) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestDifference_HasTheMembersThatDifferBeforeAndAfter(t *testing.T) {
	t.Parallel()
	type settings struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
		Rate *int     `json:"rate"`
	}
	before := settings{Name: "a", Tags: []string{"x"}}
	got, err := jsonobject.Difference(before, settings{Name: "b", Tags: []string{"x"}, Rate: new(3)})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || string(got["name"][0]) != `"a"` || string(got["name"][1]) != `"b"` ||
		string(got["rate"][0]) != "null" || string(got["rate"][1]) != "3" {
		t.Errorf("got %s", got)
	}
}
