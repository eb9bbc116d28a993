package jsonobject_test

import (
	"encoding/json"
	"errors"
	"testing"

	"itemcast/internal/jsonobject"
)

func TestEncode_JoinsMembersWithTheirBytesInOrder(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{}`: `{}`,
		` {"b" : 1.50, "a":{"y":[ 1 ],"x":null}, "\u00e9":"\u00e9"} `: `{"b":1.50,"a":{"y":[ 1 ],"x":null},"é":"\u00e9"}`,
	} {
		members, err := jsonobject.Members(json.RawMessage(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := jsonobject.Encode(members); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v", raw, got, err)
		}
	}
}

func TestEncode_LeavesOutMembersWithoutAValue(t *testing.T) {
	t.Parallel()
	members := []jsonobject.Member{{Name: "a"}, {Name: "b", Value: json.RawMessage("1")}, {Name: "c"}}
	if got, err := jsonobject.Encode(members); err != nil || string(got) != `{"b":1}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestMembers_ReportsWhatIsNoObject(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{``, ` `, `null`, `[]`, `1`, `"{}"`} {
		if _, err := jsonobject.Members(json.RawMessage(raw)); !errors.Is(err, jsonobject.ErrNoObject) {
			t.Errorf("%q: got %v", raw, err)
		}
	}
	if _, err := jsonobject.Members(json.RawMessage(`{"a":1`)); err == nil || errors.Is(err, jsonobject.ErrNoObject) {
		t.Errorf("an object that is cut: got %v", err)
	}
}
