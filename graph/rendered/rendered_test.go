package rendered

import (
	"bytes"
	"encoding/json"
	"testing"

	"itemcast/internal/item"
)

// FuzzFind compares the scanner with encoding/json: each field is found, whatever strings and values the document has.
func FuzzFind(f *testing.F) {
	f.Add("plain", `{"a":[1,{"b":"]}"}],"c":"\\"}`, "tag")
	f.Add(`quote " and backslash \`, `{"k":"\"\\\\"}`, `\"`)
	f.Add("<&>\u2028\U0001F600", `{}`, "")
	f.Fuzz(func(t *testing.T, text, clientData, tag string) {
		i := &item.Item{
			Name: text, Description: tag, Tags: []string{tag, text}, Metadata: json.RawMessage("{}"),
			ClientData: json.RawMessage("{}"), Assets: []item.Asset{{URL: text}, {ContentType: tag}},
			Snapshots: []item.Snapshot{{URL: tag}},
		}
		if json.Valid([]byte(clientData)) {
			i.ClientData = json.RawMessage(clientData)
		}
		document, err := item.Encode(i)
		if err != nil {
			t.Skip()
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(document, &want); err != nil {
			t.Fatal(err)
		}
		var values [maxFields][]byte
		if !itemShape.find(&values, document, len(itemShape.names)-1) {
			t.Fatalf("not found in %s", document)
		}
		for n, name := range itemShape.names {
			if !bytes.Equal(values[n], want[name]) {
				t.Errorf("%s is %s, want %s", name, values[n], want[name])
			}
		}
	})
}

func TestFind_RejectsOtherShapes(t *testing.T) {
	document, err := item.Encode(&item.Item{Metadata: json.RawMessage("{}"), ClientData: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	last := len(itemShape.names) - 1
	var values [maxFields][]byte
	for n := range len(document) - 1 {
		if itemShape.find(&values, document[:n], last) {
			t.Errorf("found all fields in %s", document[:n])
		}
	}
	for _, odd := range []string{"", "null", "[]", `{"name":1}`, `{"id":"` + `"}`, `{"url":1,"id":2}`} {
		if itemShape.find(&values, []byte(odd), last) {
			t.Errorf("found all fields in %s", odd)
		}
	}
}

func TestShape_HasEveryFieldOfTheDocument(t *testing.T) {
	for _, s := range []*shape{
		itemShape, itemShape.fields["assets"].nested, itemShape.fields["snapshots"].nested, itemShape.fields["workflow"].nested,
	} {
		if s == nil || len(s.names) == 0 || len(s.names) > maxFields {
			t.Fatalf("a shape is missing or too large: %+v", s)
		}
	}
	if _, ok := itemShape.fields["createdBy"]; ok {
		t.Error("createdBy must be left to its resolver")
	}
	for _, name := range []string{"type", "privacy"} {
		if !itemShape.fields[name].isEnum {
			t.Errorf("%s must be an enum", name)
		}
	}
}
